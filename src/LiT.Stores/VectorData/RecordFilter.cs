using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Extensions.VectorData.ProviderServices;
using Microsoft.Extensions.VectorData.ProviderServices.Filter;

namespace LiT.VectorData;

/// <summary>
/// A filter as an expression: comparisons of a record's values with others, and, or, not, Contains and Any. It is
/// looked at first, so that what is not supported is refused and not answered somehow; a test of what a record does not
/// have holds not.
/// </summary>
internal sealed class RecordFilter : FilterTranslatorBase
{
    private static readonly MethodInfo HoldsMethod = typeof(RecordFilter).GetMethod(
        nameof(Holds),
        BindingFlags.Static | BindingFlags.NonPublic
    )!;
    private static readonly MethodInfo AnyMethod = typeof(RecordFilter).GetMethod(
        nameof(AnyOf),
        BindingFlags.Static | BindingFlags.NonPublic
    )!;
    private static readonly MethodInfo SameMethod = typeof(RecordFilter).GetMethod(
        nameof(IsSame),
        BindingFlags.Static | BindingFlags.NonPublic
    )!;
    private readonly ParameterExpression record;
    private readonly CollectionModel model;

    private RecordFilter(ParameterExpression record, CollectionModel model) =>
        (this.record, this.model) = (record, model);

    /// <exception cref="NotSupportedException">The filter holds what is not supported.</exception>
    public static Func<TRecord, bool> Of<TRecord>(Expression<Func<TRecord, bool>> filter, CollectionModel model)
    {
        RecordFilter own = new(filter.Parameters[0], model);
        var holds = Expression.Lambda<Func<TRecord, bool>>(own.Condition(filter.Body), filter.Parameters).Compile();
        return one =>
        {
            try
            {
                return holds(one);
            }
            catch (Exception nothing) when (nothing is NullReferenceException or KeyNotFoundException)
            {
                return false; // a value that is not there, made a number
            }
        };
    }

    private Expression Condition(Expression expression)
    {
        switch (expression)
        {
            case BinaryExpression { NodeType: ExpressionType.AndAlso or ExpressionType.OrElse } both:
                return both.Update(Condition(both.Left), null, Condition(both.Right));
            case UnaryExpression { NodeType: ExpressionType.Not } not when not.Type == typeof(bool):
                return not.Update(Condition(not.Operand));
            case BinaryExpression
            {
                NodeType: ExpressionType.Equal
                    or ExpressionType.NotEqual
                    or ExpressionType.LessThan
                    or ExpressionType.LessThanOrEqual
                    or ExpressionType.GreaterThan
                    or ExpressionType.GreaterThanOrEqual
            } comparison:
                if (IsOfObjects(comparison))
                    return Same(comparison);
                return comparison.Update(Value(comparison.Left), comparison.Conversion, Value(comparison.Right));
            case MethodCallExpression call when TryMatchContains(call, out var source, out var item):
                return Contains(source, item, call);
            case MethodCallExpression { Method.Name: nameof(Enumerable.Any) } any
                when any.Method.DeclaringType == typeof(Enumerable) && any.Arguments.Count == 2:
                return Any(any);
            default:
                return expression.Type == typeof(bool) ? Value(expression) : throw Refused(expression);
        }
    }

    // A dictionary's value, or a list, beside another: what they hold is compared, and not which objects they are.
    private static bool IsOfObjects(BinaryExpression comparison) =>
        comparison is { NodeType: ExpressionType.Equal or ExpressionType.NotEqual, Method: null }
        && !comparison.Left.Type.IsValueType
        && !comparison.Right.Type.IsValueType;

    private Expression Same(BinaryExpression comparison)
    {
        var same = Expression.Call(
            SameMethod,
            Expression.Convert(Value(comparison.Left), typeof(object)),
            Expression.Convert(Value(comparison.Right), typeof(object))
        );
        return comparison.NodeType == ExpressionType.Equal ? same : Expression.Not(same);
    }

    private static bool IsSame(object? one, object? other) =>
        Equals(one, other)
        || one is System.Collections.IEnumerable some and not string
            && other is System.Collections.IEnumerable all and not string
            && some.Cast<object?>().SequenceEqual(all.Cast<object?>());

    // A value of the record, or one that does not hang on it.
    private Expression Value(Expression expression)
    {
        if (!Mentions(expression))
            return expression;
        if (IsProperty(expression))
            return expression;
        return
            expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked } convert
            ? convert.Update(Value(convert.Operand))
            : throw Refused(expression);
    }

    private bool IsProperty(Expression expression) =>
        expression switch
        {
            MemberExpression { Expression: var of, Member.Name: var name } when Plain(of) == record => IsNamed(name),
            MethodCallExpression
            {
                Method.Name: "get_Item",
                Object: var of,
                Arguments: [ConstantExpression { Value: string name }]
            } when Plain(of) == record => IsNamed(name),
            _ => false,
        };

    private bool IsNamed(string name) =>
        model.PropertyMap.TryGetValue(name, out var property) && property is not VectorPropertyModel
            ? true
            : throw new InvalidOperationException($"The filter asks for '{name}', which is no value of the record.");

    private static Expression? Plain(Expression? expression) =>
        expression is UnaryExpression { NodeType: ExpressionType.Convert } convert
            ? Plain(convert.Operand)
            : expression;

    private Expression Contains(Expression source, Expression item, Expression whole)
    {
        if (source.Type == typeof(string) || Mentions(source) == Mentions(item))
            throw Refused(whole);
        return Expression.Call(
            HoldsMethod.MakeGenericMethod(item.Type),
            Expression.Convert(Value(source), typeof(IEnumerable<>).MakeGenericType(item.Type)),
            Value(item)
        );
    }

    private Expression Any(MethodCallExpression any)
    {
        var (source, test) = (any.Arguments[0], any.Arguments[1]);
        if (test is UnaryExpression { NodeType: ExpressionType.Quote } quoted)
            test = quoted.Operand;
        if (
            test is not LambdaExpression { Parameters: [var one], Body: MethodCallExpression call } lambda
            || !TryMatchContains(call, out var all, out var item)
            || item != one
            || Mentions(all)
        )
            throw Refused(any);
        return Expression.Call(
            AnyMethod.MakeGenericMethod(one.Type),
            Expression.Convert(Value(source), typeof(IEnumerable<>).MakeGenericType(one.Type)),
            Expression.Convert(all, typeof(IEnumerable<>).MakeGenericType(one.Type))
        );
    }

    private static bool Holds<T>(IEnumerable<T>? all, T one) => all?.Contains(one) == true;

    private static bool AnyOf<T>(IEnumerable<T>? some, IEnumerable<T> all) =>
        some?.Any(one => all.Contains(one)) == true;

    private bool Mentions(Expression expression)
    {
        Mentioned mentioned = new(record);
        mentioned.Visit(expression);
        return mentioned.Found;
    }

    private static NotSupportedException Refused(Expression expression) =>
        new(
            $"The filter's part {expression} is not supported. There are ==, !=, <, <=, >, >=, &&, ||, !, Contains and "
                + "Any(one => values.Contains(one)) of a record's values."
        );

    private sealed class Mentioned(ParameterExpression record) : ExpressionVisitor
    {
        public bool Found { get; private set; }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            Found |= node == record;
            return node;
        }
    }
}
