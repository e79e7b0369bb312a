using System.Text.Json;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>Why an attestation or assertion is not believed. For logs, metrics and tests; callers hear only that the device is not valid.</summary>
public enum AppAttestFault
{
    /// <summary>None.</summary>
    None,

    /// <summary>Larger than any object of Apple's.</summary>
    Size,

    /// <summary>Not the CBOR of an attestation or assertion: truncated, followed by more, doubled or missing fields, indefinite, too deep.</summary>
    Malformed,

    /// <summary><c>fmt</c> is another.</summary>
    Format,

    /// <summary>Fewer certificates than two, or more than four.</summary>
    ChainLength,

    /// <summary>Something in <c>x5c</c> is no certificate.</summary>
    Certificate,

    /// <summary>The chain does not end at a root that we trust, or a signature in it is wrong.</summary>
    UntrustedChain,

    /// <summary>A certificate is not valid yet, or no longer.</summary>
    Expired,

    /// <summary>The certified key is not on P-256.</summary>
    LeafKey,

    /// <summary>The extension with the nonce is missing, doubled or not of its form.</summary>
    NonceExtension,

    /// <summary>The nonce is of other authenticator data or other client data.</summary>
    Nonce,

    /// <summary>The key id is not the hash of the certified key.</summary>
    KeyId,

    /// <summary>Made for an app that is not ours.</summary>
    AppId,

    /// <summary>Not zero in an attestation; not greater than the last one in an assertion.</summary>
    Counter,

    /// <summary>Made in the other environment.</summary>
    Environment,

    /// <summary>The credential id is not the key id.</summary>
    CredentialId,

    /// <summary>The authenticator data is of another length or form.</summary>
    AuthenticatorData,

    /// <summary>The authenticator data carries another key than the certificate.</summary>
    CredentialKey,

    /// <summary>The app was signed for a way of distribution that is not allowed.</summary>
    Category,

    /// <summary>Apple's receipt is missing, changed, or about another key, app or client data.</summary>
    Receipt,

    /// <summary>The assertion's signature is not by the key, or over other data, or no signature at all.</summary>
    Signature,
}

/// <summary>Names of faults.</summary>
public static class AppAttestFaults
{
    /// <summary>The fault as a label of metrics and logs: snake case.</summary>
    public static string Label(this AppAttestFault fault) => JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString());
}

/// <summary>Ends a verification; never leaves this folder.</summary>
internal sealed class AppAttestRefusal(AppAttestFault fault) : Exception
{
    public AppAttestFault Fault { get; } = fault;

    public static void Unless(bool holds, AppAttestFault fault)
    {
        if (!holds)
        {
            throw new AppAttestRefusal(fault);
        }
    }
}
