using System.Formats.Cbor;
using System.Security.Cryptography;

namespace Reelbase.Simulators.AppAttest;

/// <summary>A key in a phone's Secure Enclave, as <c>DCAppAttestService</c> hands it out: attested once, then it signs, and its counter rises.</summary>
public sealed class PhoneKey(AppAttestAuthority authority, string appId)
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The key itself, for whoever wants to forge.</summary>
    public ECDsa Key => _key;

    /// <summary>What <c>generateKey</c> gives: SHA-256 of the public key, base64.</summary>
    public string KeyId => Convert.ToBase64String(SHA256.HashData(Attestation.Point(_key)));

    /// <summary>The counter of the last assertion.</summary>
    public uint Counter { get; set; }

    /// <summary>The app that made the key.</summary>
    public string AppId { get; } = appId;

    /// <summary>What <c>attestKey</c> gives, before it is built.</summary>
    public Attestation Attest(byte[] clientDataHash) => new(authority, _key, AppId, clientDataHash);

    /// <summary>What <c>generateAssertion</c> gives.</summary>
    public byte[] Assert(byte[] clientDataHash) => new Assertion(_key, AppId, ++Counter, clientDataHash).Build();
}

/// <summary>An assertion in the making; every part can be replaced before <see cref="Build"/>.</summary>
public sealed class Assertion(ECDsa key, string appId, uint counter, byte[] clientDataHash)
{
    public string AppId { get; set; } = appId;
    public uint Counter { get; set; } = counter;

    /// <summary>Real phones set "attested data" here although there is none.</summary>
    public byte Flags { get; set; } = 0x40;
    public ECDsa Signer { get; set; } = key;
    public int? Category { get; set; }
    public byte[]? AuthenticatorData { get; set; }

    /// <summary>Changes the authenticator data after it was signed.</summary>
    public Func<byte[], byte[]> Sent { get; set; } = data => data;

    /// <summary>Changes the signature.</summary>
    public Func<byte[], byte[]> Signature { get; set; } = signature => signature;

    /// <summary>What is signed, when it is not the nonce.</summary>
    public byte[]? Message { get; set; }

    /// <summary>The object that the app gets.</summary>
    public byte[] Build()
    {
        var data =
            AuthenticatorData ?? [.. Attestation.WriteHeader(AppId, Flags, Counter), .. Category is { } category ? Attestation.WriteExtensions(category) : []];
        var message = Message ?? SHA256.HashData([.. data, .. clientDataHash]);
        return Write(Signature(Signer.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)), Sent(data));
    }

    /// <summary>The CBOR.</summary>
    public static byte[] Write(byte[] signature, byte[] data)
    {
        var writer = new CborWriter(CborConformanceMode.Ctap2Canonical);
        writer.WriteStartMap(2);
        writer.WriteTextString("signature");
        writer.WriteByteString(signature);
        writer.WriteTextString("authenticatorData");
        writer.WriteByteString(data);
        writer.WriteEndMap();
        return writer.Encode();
    }
}
