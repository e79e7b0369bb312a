using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;

namespace Reelbase.Server.Integrations.Apple;

/// <summary>
/// What a key of Apple's must be before the server starts: all of its parts there or none, and the .p8 readable. A key that is found
/// missing at the first phone gives every guest no credits, and nobody is notified.
/// </summary>
internal static class AppleKeyRules
{
    /// <summary>What is wrong with a key and what goes with it.</summary>
    /// <param name="key">The key as text (PEM).</param>
    /// <param name="file">The key's file.</param>
    /// <param name="beside">The settings that go with it, by name; they may stand without a key when <paramref name="mayStandAlone"/>.</param>
    /// <param name="mayStandAlone">Whether the settings beside it have a use without the key.</param>
    public static IEnumerable<ValidationResult> Check(string? key, string? file, bool mayStandAlone, params (string Name, string? Value)[] beside)
    {
        var hasKey = key is { Length: > 0 } || file is { Length: > 0 };
        var isAsked = hasKey || (!mayStandAlone && beside.Any(setting => setting.Value is { Length: > 0 }));
        if (!isAsked)
        {
            yield break;
        }
        foreach (var (name, value) in beside)
        {
            if (value is null or "")
            {
                yield return new("is missing: the key is of no use without it", [name]);
            }
        }
        if (!hasKey)
        {
            yield return new("is missing (or PrivateKey): the settings beside it are of no use without it", ["PrivateKeyFile"]);
        }
        else if (FindFault(key, file) is { } fault)
        {
            yield return new(fault, [key is { Length: > 0 } ? "PrivateKey" : "PrivateKeyFile"]);
        }
    }

    /// <summary>The same for a second key, whose settings begin with a word.</summary>
    public static IEnumerable<ValidationResult> Check(string? key, string? file, string prefix, params (string Name, string? Value)[] beside) =>
        Check(key, file, mayStandAlone: false, beside)
            .Select(result => new ValidationResult(
                result.ErrorMessage,
                result.MemberNames.Select(name => name.StartsWith("PrivateKey", StringComparison.Ordinal) ? prefix + name : name)
            ));

    private static string? FindFault(string? key, string? file)
    {
        try
        {
            using var ec = ECDsa.Create();
            ec.ImportFromPem(key is { Length: > 0 } ? key : File.ReadAllText(file!));
            return ec.KeySize == 256 ? null : "is not a P-256 key, which Apple's are";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return $"names {file}, which cannot be read";
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            return "is not a private key in PEM form: it is the .p8 file as Apple gave it";
        }
    }
}
