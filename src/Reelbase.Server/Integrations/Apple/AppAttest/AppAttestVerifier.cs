using System.Formats.Asn1;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Reelbase.Server.Integrations.Apple.AppAttest;

/// <summary>Whose objects are believed.</summary>
/// <param name="AppIds">Team id, a dot, bundle id; of each app.</param>
/// <param name="Environments">production, development or both.</param>
/// <param name="Categories">How the app may have been signed (Apple's validation category), where a phone says it; empty: anyhow.</param>
/// <param name="MaxSkew">How far our clock may be off when a certificate's dates are compared.</param>
/// <param name="TestRoot">The root of a simulator, beside Apple's; never in Production.</param>
public sealed record AppAttestTrust(
    IReadOnlyList<string> AppIds,
    IReadOnlyList<string> Environments,
    IReadOnlyList<int> Categories,
    TimeSpan MaxSkew,
    X509Certificate2? TestRoot = null
)
{
    internal IEnumerable<X509Certificate2> AttestationRoots => TestRoot is null ? [AppleRoots.AppAttestation] : [AppleRoots.AppAttestation, TestRoot];
    internal IEnumerable<X509Certificate2> ReceiptRoots => TestRoot is null ? [AppleRoots.ReceiptSigning] : [AppleRoots.ReceiptSigning, TestRoot];
}

/// <summary>A key that Apple certifies to be in a phone, made by our app.</summary>
/// <param name="KeyId">SHA-256 of the public key.</param>
/// <param name="PublicKey">The public point as X9.62 writes it (65 bytes).</param>
/// <param name="AppId">The app that made it.</param>
/// <param name="Environment">production or development.</param>
/// <param name="Category">Apple's validation category, from iOS 27 on.</param>
public sealed record AttestedKey(byte[] KeyId, byte[] PublicKey, string AppId, string Environment, int? Category);

/// <summary>
/// Verifies what App Attest makes. Source of the rules: Apple's "Validating apps that connect to your server", in its order, and "Attestation Object Validation Guide"
/// for the extensions of iOS 27. No call to Apple is made.
/// </summary>
public sealed class AppAttestVerifier(AppAttestTrust trust)
{
    /// <summary>Real attestations have five to seven thousand bytes.</summary>
    public const int MaxAttestationBytes = 16 * 1024;

    /// <summary>Real assertions have about 140 bytes, with extensions 220.</summary>
    public const int MaxAssertionBytes = 1024;

    /// <summary>Length of a key id.</summary>
    public const int KeyIdLength = 32;

    private const int MinChain = 2;
    private const int MaxChain = 4;
    private const int PointLength = 65;
    private const string NonceOid = "1.2.840.113635.100.8.2";
    private const string EcOid = "1.2.840.10045.2.1";
    private const string P256Oid = "1.2.840.10045.3.1.7";
    private const string Production = "production";
    private const string Development = "development";

    private static readonly (byte[] Aaguid, string Environment)[] Aaguids =
    [
        ("appattest\0\0\0\0\0\0\0"u8.ToArray(), Production),
        ("appattestdevelop"u8.ToArray(), Development),
    ];
    private static readonly Asn1Tag NonceTag = new(TagClass.ContextSpecific, 1, isConstructed: true);

    private readonly (string AppId, byte[] Hash)[] _apps = [.. trust.AppIds.Select(app => (app, SHA256.HashData(Encoding.UTF8.GetBytes(app))))];

    /// <summary>The key of an attestation, or null and why not.</summary>
    /// <param name="attestation">What <c>attestKey</c> gave the app.</param>
    /// <param name="keyId">What <c>generateKey</c> gave it, decoded.</param>
    /// <param name="clientDataHash">What the app passed to <c>attestKey</c>.</param>
    /// <param name="at">The time at which the certificates have to be valid.</param>
    public AttestedKey? VerifyAttestation(
        ReadOnlyMemory<byte> attestation,
        ReadOnlySpan<byte> keyId,
        ReadOnlySpan<byte> clientDataHash,
        DateTimeOffset at,
        out AppAttestFault fault
    )
    {
        try
        {
            fault = AppAttestFault.None;
            return Verify(attestation, keyId, clientDataHash, at);
        }
        catch (AppAttestRefusal refusal)
        {
            fault = refusal.Fault;
        }
        catch (Exception error) when (IsMalformed(error))
        {
            fault = AppAttestFault.Malformed;
        }
        return null;
    }

    /// <summary>The counter of an assertion, or null and why not. Whoever keeps the counter also has to compare it where it is kept, so that two at once do not both pass.</summary>
    /// <param name="assertion">What <c>generateAssertion</c> gave the app.</param>
    /// <param name="key">The key, as it was attested.</param>
    /// <param name="clientDataHash">What the app passed to <c>generateAssertion</c>.</param>
    /// <param name="lastCounter">The counter of the key's last assertion, 0 before the first.</param>
    public uint? VerifyAssertion(ReadOnlyMemory<byte> assertion, AttestedKey key, ReadOnlySpan<byte> clientDataHash, uint lastCounter, out AppAttestFault fault)
    {
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            fault = AppAttestFault.None;
            return Verify(assertion, key, clientDataHash, lastCounter);
        }
        catch (AppAttestRefusal refusal)
        {
            fault = refusal.Fault;
        }
        catch (Exception error) when (IsMalformed(error))
        {
            fault = AppAttestFault.Malformed;
        }
        return null;
    }

    private AttestedKey Verify(ReadOnlyMemory<byte> attestation, ReadOnlySpan<byte> keyId, ReadOnlySpan<byte> clientDataHash, DateTimeOffset at)
    {
        AppAttestRefusal.Unless(attestation.Length <= MaxAttestationBytes, AppAttestFault.Size);
        var parsed = AttestationObject.Read(attestation);
        AppAttestRefusal.Unless(parsed.Certificates.Count is >= MinChain and <= MaxChain, AppAttestFault.ChainLength);
        var certificates = parsed.Certificates.Select(bytes => PinnedChain.Load(bytes) ?? throw new AppAttestRefusal(AppAttestFault.Certificate)).ToList();
        try
        {
            var leaf = certificates[0];
            if (PinnedChain.Check(certificates, trust.AttestationRoots, at, trust.MaxSkew) is not AppAttestFault.None and var fault)
            {
                throw new AppAttestRefusal(fault);
            }
            AppAttestRefusal.Unless(
                CryptographicOperations.FixedTimeEquals(ReadNonce(leaf), SHA256.HashData([.. parsed.AuthenticatorData, .. clientDataHash])),
                AppAttestFault.Nonce
            );
            var point = ReadPoint(leaf);
            AppAttestRefusal.Unless(keyId.SequenceEqual(SHA256.HashData(point)), AppAttestFault.KeyId);
            var data = AuthenticatorData.Read(parsed.AuthenticatorData, isAttested: true);
            var app = FindApp(data);
            AppAttestRefusal.Unless(data.Counter == 0, AppAttestFault.Counter);
            var environment = Array.Find(Aaguids, pair => pair.Aaguid.AsSpan().SequenceEqual(data.Aaguid)).Environment;
            AppAttestRefusal.Unless(environment is not null && trust.Environments.Contains(environment), AppAttestFault.Environment);
            AppAttestRefusal.Unless(keyId.SequenceEqual(data.CredentialId), AppAttestFault.CredentialId);
            AppAttestRefusal.Unless(point.AsSpan().SequenceEqual(data.PublicPoint), AppAttestFault.CredentialKey);
            CheckCategory(data);
            if (
                AttestationReceipt.Check(parsed.Receipt, app, leaf, clientDataHash, trust.ReceiptRoots, at, trust.MaxSkew)
                is not AppAttestFault.None
                    and var wrong
            )
            {
                throw new AppAttestRefusal(wrong);
            }
            return new(keyId.ToArray(), point, app, environment!, data.Category);
        }
        finally
        {
            certificates.ForEach(certificate => certificate.Dispose());
        }
    }

    private uint Verify(ReadOnlyMemory<byte> assertion, AttestedKey key, ReadOnlySpan<byte> clientDataHash, uint lastCounter)
    {
        AppAttestRefusal.Unless(assertion.Length <= MaxAssertionBytes, AppAttestFault.Size);
        var parsed = AssertionObject.Read(assertion);
        var nonce = SHA256.HashData([.. parsed.AuthenticatorData, .. clientDataHash]);
        AppAttestRefusal.Unless(IsSignedBy(key.PublicKey, nonce, parsed.Signature), AppAttestFault.Signature);
        var data = AuthenticatorData.Read(parsed.AuthenticatorData, isAttested: false);
        AppAttestRefusal.Unless(FindApp(data) == key.AppId, AppAttestFault.AppId);
        AppAttestRefusal.Unless(trust.Environments.Contains(key.Environment), AppAttestFault.Environment);
        CheckCategory(data);
        AppAttestRefusal.Unless(data.Counter > lastCounter, AppAttestFault.Counter);
        return data.Counter;
    }

    /// <summary>ECDSA with SHA-256 over the nonce as the message (which is hashed once more); the signature in DER.</summary>
    private static bool IsSignedBy(byte[] point, byte[] nonce, byte[] signature)
    {
        try
        {
            using var key = ECDsa.Create(
                new ECParameters
                {
                    Curve = ECCurve.NamedCurves.nistP256,
                    Q = new ECPoint { X = point[1..33], Y = point[33..PointLength] },
                }
            );
            return key.VerifyData(nonce, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private string FindApp(AuthenticatorData data) =>
        Array.Find(_apps, app => app.Hash.AsSpan().SequenceEqual(data.AppIdHash)).AppId ?? throw new AppAttestRefusal(AppAttestFault.AppId);

    private void CheckCategory(AuthenticatorData data) =>
        AppAttestRefusal.Unless(
            data.Category is not { } category || trust.Categories.Count == 0 || trust.Categories.Contains(category),
            AppAttestFault.Category
        );

    /// <summary>The extension is SEQUENCE { [1] OCTET STRING }.</summary>
    private static byte[] ReadNonce(X509Certificate2 leaf)
    {
        var found = leaf.Extensions.Where(extension => extension.Oid?.Value == NonceOid).ToList();
        AppAttestRefusal.Unless(found.Count == 1, AppAttestFault.NonceExtension);
        try
        {
            var reader = new AsnReader(found[0].RawData, AsnEncodingRules.DER);
            var sequence = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            var tagged = sequence.ReadSequence(NonceTag);
            sequence.ThrowIfNotEmpty();
            var nonce = tagged.ReadOctetString();
            tagged.ThrowIfNotEmpty();
            AppAttestRefusal.Unless(nonce.Length == SHA256.HashSizeInBytes, AppAttestFault.NonceExtension);
            return nonce;
        }
        catch (AsnContentException)
        {
            throw new AppAttestRefusal(AppAttestFault.NonceExtension);
        }
    }

    private static byte[] ReadPoint(X509Certificate2 leaf)
    {
        var point = leaf.PublicKey.EncodedKeyValue.RawData;
        AppAttestRefusal.Unless(leaf.PublicKey.Oid.Value == EcOid && point is [4, ..] && point.Length == PointLength, AppAttestFault.LeafKey);
        using var key = leaf.GetECDsaPublicKey();
        AppAttestRefusal.Unless(key?.ExportParameters(false).Curve.Oid.Value == P256Oid, AppAttestFault.LeafKey);
        return point;
    }

    private static bool IsMalformed(Exception error) =>
        error
            is CborContentException
                or AsnContentException
                or CryptographicException
                or InvalidOperationException
                or ArgumentException
                or FormatException
                or OverflowException;
}
