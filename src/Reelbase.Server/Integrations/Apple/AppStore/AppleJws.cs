using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Reelbase.Server.Integrations.Apple.AppStore;

/// <summary>
/// Verifies what Apple signs (JWS with a certificate chain). Source of the rules: Apple's "JWSTransaction" and "JWSDecodedHeader", and what Apple's
/// own App Store Server Library does: ES256 only, exactly three certificates, trust from the pinned root alone, two marker extensions, validity
/// at the time of signing.
/// </summary>
public sealed class AppleJws : IDisposable
{
    private const int MaxLength = 64 * 1024;
    private const int MaxCertificateLength = 8 * 1024;
    private const int MaxDepth = 32;
    private const int SignatureLength = 64;
    private const int MaxChains = 32;
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Marks the certificates that sign receipts.</summary>
    private const string ReceiptSigningOid = "1.2.840.113635.100.6.11.1";

    /// <summary>Marks Apple's intermediate authority for developers.</summary>
    private const string DeveloperRelationsOid = "1.2.840.113635.100.6.2.1";

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth };

    private readonly ConcurrentDictionary<string, Chain> _chains = new(StringComparer.Ordinal);
    private readonly X509Certificate2 _root;
    private readonly TimeProvider _clock;

    /// <summary>Trusts one root certificate (DER).</summary>
    public AppleJws(byte[] root, TimeProvider clock)
    {
        _root = X509CertificateLoader.LoadCertificate(root);
        _clock = clock;
    }

    /// <summary>The payload, or null and in one word why not.</summary>
    public JsonElement? Verify(string? jws, out string fault)
    {
        try
        {
            return TryVerify(jws, out fault);
        }
        catch (Exception error) when (error is FormatException or JsonException or CryptographicException or InvalidOperationException or ArgumentException)
        {
            // Whatever is malformed is not Apple's.
            fault = "malformed";
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private JsonElement? TryVerify(string? jws, out string fault)
    {
        if (jws is not { Length: > 0 and <= MaxLength } || jws.Split('.') is not [var header, var payload, var signature])
        {
            fault = "malformed";
            return null;
        }
        using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(header), Strict);
        // Before anything else: no other algorithm, and never a key that the token brings along.
        if (head.RootElement.Text("alg") != "ES256")
        {
            fault = "algorithm";
            return null;
        }
        if (!head.RootElement.TryGetProperty("x5c", out var x5c) || x5c.ValueKind != JsonValueKind.Array || x5c.GetArrayLength() != 3)
        {
            fault = "chain_length";
            return null;
        }
        using var body = JsonDocument.Parse(Base64Url.DecodeFromChars(payload), Strict);
        // The third certificate is not used: trust comes from our own copy of the root.
        if (FindChain(x5c[0], x5c[1], SignedAt(body.RootElement), out fault) is not { } chain)
        {
            return null;
        }
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(chain.PublicKey, out _);
        if (
            key.ExportParameters(false).Curve.Oid.Value != P256
            || Base64Url.DecodeFromChars(signature) is not { Length: SignatureLength } bytes
            || !key.VerifyData(Encoding.ASCII.GetBytes($"{header}.{payload}"), bytes, HashAlgorithmName.SHA256)
        )
        {
            fault = "signature";
            return null;
        }
        if (body.RootElement.ValueKind != JsonValueKind.Object)
        {
            fault = "malformed";
            return null;
        }
        fault = "";
        return body.RootElement.Clone();
    }

    /// <summary>Apple's signing certificates live about two years and what they signed lives on: the chain has to have been good at the time of signing.</summary>
    private DateTime SignedAt(JsonElement payload) =>
        payload.ValueKind == JsonValueKind.Object && payload.TryGetProperty("signedDate", out var date)
            ? DateTimeOffset.FromUnixTimeMilliseconds(date.GetInt64()).UtcDateTime
            : _clock.GetUtcNow().UtcDateTime;

    /// <summary>
    /// A chain that holds at a time, or why it does not. Building one costs more than the rest of a verification, and what Apple signs for months comes with the
    /// same one: a chain that held once holds at every time within the validity of all its certificates. One that did not hold is never remembered.
    /// </summary>
    private Chain? FindChain(JsonElement leafEntry, JsonElement intermediateEntry, DateTime at, out string fault)
    {
        var name = $"{leafEntry.GetString()}.{intermediateEntry.GetString()}";
        if (_chains.TryGetValue(name, out var known) && at >= known.From && at <= known.To)
        {
            fault = "";
            return known;
        }
        using var leaf = Load(leafEntry);
        using var intermediate = Load(intermediateEntry);
        if (leaf.Extensions[ReceiptSigningOid] is null || intermediate.Extensions[DeveloperRelationsOid] is null)
        {
            fault = "not_a_receipt_certificate";
            return null;
        }
        if (!IsTrusted(leaf, intermediate, at))
        {
            fault = "untrusted_chain";
            return null;
        }
        X509Certificate2[] all = [leaf, intermediate, _root];
        var chain = new Chain(
            all.Max(certificate => certificate.NotBefore.ToUniversalTime()),
            all.Min(certificate => certificate.NotAfter.ToUniversalTime()),
            leaf.PublicKey.ExportSubjectPublicKeyInfo()
        );
        if (_chains.Count < MaxChains)
        {
            _chains[name] = chain;
        }
        fault = "";
        return chain;
    }

    private bool IsTrusted(X509Certificate2 leaf, X509Certificate2 intermediate, DateTime at)
    {
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationFlags = X509VerificationFlags.NoFlag,
                VerificationTime = at,
                VerificationTimeIgnored = false,
            },
        };
        chain.ChainPolicy.CustomTrustStore.Add(_root);
        chain.ChainPolicy.ExtraStore.Add(intermediate);
        return chain.Build(leaf)
            && chain.ChainElements.Count == 3
            && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(intermediate.RawDataMemory.Span)
            && chain.ChainElements[2].Certificate.RawDataMemory.Span.SequenceEqual(_root.RawDataMemory.Span);
    }

    private static X509Certificate2 Load(JsonElement entry) =>
        entry.GetString() is { Length: > 0 and <= MaxCertificateLength } text
            ? X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text))
            : throw new FormatException("a certificate is missing or too large");

    private sealed record Chain(DateTime From, DateTime To, byte[] PublicKey);
}
