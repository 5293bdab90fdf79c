using System.Security.Cryptography;
using System.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Bundles;

/// <summary>Names a set of weights in results and bundles.</summary>
internal static class WeightsHash
{
    /// <summary>SHA-256 in hexadecimal over every weight as float32, in order of its name, and over networks of
    /// another runtime.</summary>
    public static string Of(nn.Module module)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, weight) in module.state_dict().OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} [{string.Join(", ", weight.shape)}]\n"));
            TensorMemory.ForEachPiece(weight.detach().cpu().to(ScalarType.Float32).contiguous(), hash.AppendData);
        }
        foreach (var foreign in module.modules().OfType<ForeignText>())
            hash.AppendData(Encoding.UTF8.GetBytes(foreign.Identity + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
