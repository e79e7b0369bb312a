using System.Buffers.Binary;
using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Reelbase.Tests.Support;

/// <summary>
/// An authenticator in software, written by the W3C's text and not by the server's library: ES256, COSE and CBOR as keys in hardware have them. What it says
/// about where and how it signed can be set, so that it can lie.
/// </summary>
public sealed class SoftwarePasskey(string rpId, string origin) : IDisposable
{
    public const byte Present = 1;
    public const byte Verified = 4;
    private const byte HasKey = 0x40;

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public byte[] Id { get; init; } = RandomNumberGenerator.GetBytes(32);
    public string RpId { get; set; } = rpId;
    public string Origin { get; set; } = origin;
    public byte Flags { get; set; } = Present | Verified;
    public uint Counter { get; set; }
    public byte[]? UserHandle { get; set; }
    public bool IsCrossOrigin { get; set; }

    /// <summary>The type that the client data name, when it is not the right one.</summary>
    public string? Type { get; set; }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    /// <summary>Answers the options of a registration.</summary>
    public JsonObject Make(JsonElement options)
    {
        UserHandle = Base64Url.DecodeFromChars(options.GetProperty("user").GetProperty("id").GetString());
        var point = _key.ExportParameters(false).Q;
        var cose = new CborWriter(CborConformanceMode.Ctap2Canonical);
        cose.WriteStartMap(5);
        cose.WriteInt32(1);
        cose.WriteInt32(2);
        cose.WriteInt32(3);
        cose.WriteInt32(-7);
        cose.WriteInt32(-1);
        cose.WriteInt32(1);
        cose.WriteInt32(-2);
        cose.WriteByteString(point.X!);
        cose.WriteInt32(-3);
        cose.WriteByteString(point.Y!);
        cose.WriteEndMap();
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)Id.Length);
        byte[] data = [.. Data((byte)(Flags | HasKey)), .. new byte[16], .. length, .. Id, .. cose.Encode()];
        var attestation = new CborWriter(CborConformanceMode.Ctap2Canonical);
        attestation.WriteStartMap(3);
        attestation.WriteTextString("fmt");
        attestation.WriteTextString("none");
        attestation.WriteTextString("attStmt");
        attestation.WriteStartMap(0);
        attestation.WriteEndMap();
        attestation.WriteTextString("authData");
        attestation.WriteByteString(data);
        attestation.WriteEndMap();
        return Credential(
            new()
            {
                ["clientDataJSON"] = Text(Client("webauthn.create", Challenge(options))),
                ["attestationObject"] = Text(attestation.Encode()),
                ["transports"] = new JsonArray("internal"),
            }
        );
    }

    /// <summary>Answers the options of a sign-in.</summary>
    public JsonObject Sign(JsonElement options) => Sign(Challenge(options));

    /// <summary>Signs a challenge.</summary>
    public JsonObject Sign(string challenge)
    {
        var data = Data(Flags);
        var client = Client("webauthn.get", challenge);
        var response = new JsonObject
        {
            ["clientDataJSON"] = Text(client),
            ["authenticatorData"] = Text(data),
            ["signature"] = Text(_key.SignData([.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
        };
        if (UserHandle is not null)
        {
            response["userHandle"] = Text(UserHandle);
        }
        return Credential(response);
    }

    public static string Challenge(JsonElement options) => options.GetProperty("challenge").GetString()!;

    private byte[] Data(byte flags)
    {
        var counter = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(counter, Counter);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(RpId)), flags, .. counter];
    }

    private byte[] Client(string type, string challenge) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                type = Type ?? type,
                challenge,
                origin = Origin,
                crossOrigin = IsCrossOrigin,
            }
        );

    private JsonObject Credential(JsonObject response) =>
        new()
        {
            ["id"] = Text(Id),
            ["rawId"] = Text(Id),
            ["type"] = "public-key",
            ["response"] = response,
            ["clientExtensionResults"] = new JsonObject(),
        };

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
