using System.Text.Json;

namespace Reelbase.Server.Integrations.Runway;

/// <summary>Runway's failures in our words.</summary>
public static class RunwayErrors
{
    /// <summary>A <c>failureCode</c>: matched by its beginning, as Runway adds to the ends; a code that nobody knows is the provider's trouble.</summary>
    public static FailureKind Kind(string? code) =>
        code switch
        {
            null => FailureKind.Unavailable,
            _ when Starts(code, "SAFETY") || Starts(code, "INPUT_PREPROCESSING.SAFETY") => FailureKind.ContentRejected,
            _ when Starts(code, "ASSET.INVALID") || Starts(code, "THIRD_PARTY.INPUT_VALIDATION") => FailureKind.InputRefused,
            _ => FailureKind.Unavailable,
        };

    /// <summary>Whether a refusal is about the account's credits. Runway gives this case no code of its own, so its words are all there is.</summary>
    public static bool IsEmptyAccount(JsonElement body) => body.Text("error")?.Contains("not have enough credits", StringComparison.OrdinalIgnoreCase) == true;

    private static bool Starts(string code, string prefix) =>
        code.StartsWith(prefix, StringComparison.Ordinal) && (code.Length == prefix.Length || code[prefix.Length] == '.');
}
