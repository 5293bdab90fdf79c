using System.Globalization;
using System.Linq.Expressions;

namespace LiT;

/// <summary>
/// The caller asked for something that the product does not offer: wrong setting, wrong value, wrong name.
/// </summary>
public class UsageException : LitException
{
    /// <inheritdoc/>
    public UsageException(string message)
        : base(message) { }

    /// <inheritdoc/>
    public UsageException(string subject, string? problem, string? remedy)
        : base(subject, problem, remedy) { }
}

/// <summary>
/// A setting cannot be what it is. It is named by its member; whoever shows the message may put the name that its users
/// know in the member's place, as the command line does with its options.
/// </summary>
public sealed class SettingException : UsageException
{
    /// <summary>A setting that cannot be so, by its name.</summary>
    /// <param name="member">The setting's member, or the parameter's.</param>
    /// <param name="value">What was given; null to leave it out of the message.</param>
    /// <param name="problem">What is wrong with it, without a period; null where the remedy says it all.</param>
    /// <param name="remedy">What to give instead; the last period may be left out.</param>
    public SettingException(string member, object? value, string? problem, string? remedy)
        : base(InWords(member, value), problem, remedy) => (Member, Value) = (member, value);

    /// <summary>The member of the settings that cannot be so: "Batch".</summary>
    public string Member { get; }

    /// <summary>What was given, where the message says it.</summary>
    public object? Value { get; }

    /// <summary>A setting that cannot be so, whatever else was given.</summary>
    /// <typeparam name="T">The settings.</typeparam>
    /// <param name="setting">Its member, as in <c>s => s.Batch</c>.</param>
    /// <param name="problem">What is wrong with it, without a period; null where the remedy says it all.</param>
    /// <param name="remedy">What to give instead; the last period may be left out.</param>
    public static SettingException Of<T>(Expression<Func<T, object?>> setting, string? problem, string? remedy) =>
        new(NameOf(setting), null, problem, remedy);

    /// <summary>A setting that cannot have this value.</summary>
    /// <typeparam name="T">The settings.</typeparam>
    /// <param name="setting">Its member, as in <c>s => s.Batch</c>.</param>
    /// <param name="value">What was given, as the message shows it.</param>
    /// <param name="problem">What is wrong with it, without a period; null where the remedy says it all.</param>
    /// <param name="remedy">What to give instead; the last period may be left out.</param>
    public static SettingException Of<T>(
        Expression<Func<T, object?>> setting,
        object? value,
        string? problem,
        string? remedy
    ) => new(NameOf(setting), value, problem, remedy);

    private static string InWords(string member, object? value) =>
        value is null ? $"`{member}`" : string.Create(CultureInfo.InvariantCulture, $"`{member}` {value}");

    private static string NameOf<T>(Expression<Func<T, object?>> setting) =>
        setting.Body switch
        {
            MemberExpression member => member.Member.Name,
            UnaryExpression { Operand: MemberExpression boxed } => boxed.Member.Name,
            var other => throw new ArgumentException($"{other} is no member.", nameof(setting)),
        };
}
