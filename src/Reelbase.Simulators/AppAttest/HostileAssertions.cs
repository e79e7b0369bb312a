using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Reelbase.Simulators.AppAttest;

/// <summary>Forged assertions by a key that is attested and whose last counter was 5. Each is right but for the one thing that its name says.</summary>
public sealed class HostileAssertions(PhoneKey key, byte[] clientDataHash)
{
    /// <summary>The counter of the key's last assertion.</summary>
    public const uint LastCounter = 5;

    private static readonly BigInteger Order = BigInteger.Parse(
        "115792089210356248762697446949407573529996955224135760342422259061068512044369",
        System.Globalization.CultureInfo.InvariantCulture
    );
    private readonly List<HostileObject> _made = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<HostileObject> All()
    {
        AddSignatures();
        AddData();
        AddEncodings();
        return _made;
    }

    private Assertion Next => new(key.Key, key.AppId, LastCounter + 1, clientDataHash);

    private void Add(string name, string reason, Action<Assertion> change)
    {
        var assertion = Next;
        change(assertion);
        Add(name, reason, assertion.Build());
    }

    private void Add(string name, string reason, byte[] bytes) => _made.Add(new(name, reason, Convert.FromBase64String(key.KeyId), bytes));

    private void AddSignatures()
    {
        var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Add("signed by another key", "signature", it => it.Signer = other);
        Add(
            "signed over other client data",
            "signature",
            it => it.Message = SHA256.HashData([.. Attestation.WriteHeader(it.AppId, it.Flags, it.Counter), .. SHA256.HashData("old"u8)])
        );
        Add("signed over the client data alone", "signature", it => it.Message = clientDataHash);
        Add(
            "signed over the parts instead of their hash",
            "signature",
            it => it.Message = [.. Attestation.WriteHeader(it.AppId, it.Flags, it.Counter), .. clientDataHash]
        );
        Add("a counter raised after signing", "signature", it => it.Sent = data => Set(data, 36, 200));
        Add("an app id changed after signing", "signature", it => it.Sent = data => Set(data, 0, (byte)(data[0] ^ 1)));
        Add("flags changed after signing", "signature", it => it.Sent = data => Set(data, 32, 0x41));
        Add("extensions added after signing", "signature", it => it.Sent = data => [.. data, .. Attestation.WriteExtensions(4)]);
        Add("no signature", "signature", it => it.Signature = _ => []);
        Add("a signature of noise", "signature", it => it.Signature = _ => RandomNumberGenerator.GetBytes(71));
        Add("a signature of two plain numbers", "signature", it => it.Signature = Plain);
        Add("a signature of zeros", "signature", it => it.Signature = _ => Der(BigInteger.Zero, BigInteger.Zero));
        Add("a signature of ones", "signature", it => it.Signature = _ => Der(BigInteger.One, BigInteger.One));
        Add("a signature of the curve's order", "signature", it => it.Signature = _ => Der(Order, Order));
        Add("a signature beyond the curve's order", "signature", it => it.Signature = signature => Change(signature, r => r + Order));
        Add("a negative signature", "signature", it => it.Signature = signature => Change(signature, r => -r));
        Add("a signature followed by a byte", "signature", it => it.Signature = signature => [.. signature, 0]);
        Add("a signature cut short", "signature", it => it.Signature = signature => signature[..^1]);
        Add("a signature with a long length", "signature", it => it.Signature = signature => [0x30, 0x81, .. signature[1..]]);
        Add("a signature of indefinite length", "signature", it => it.Signature = signature => [0x30, 0x80, .. signature[2..], 0, 0]);
        Add(
            "a signature padded with zeros",
            "signature",
            it => it.Signature = signature => [0x30, (byte)(signature[1] + 2), 0x02, (byte)(signature[3] + 2), 0, 0, .. signature[4..]]
        );
        Add(
            "a signature with a third number",
            "signature",
            it => it.Signature = signature => [0x30, (byte)(signature[1] + 3), .. signature[2..], 0x02, 0x01, 0x01]
        );
        Add("a signature of ten kilobytes", "size", it => it.Signature = _ => new byte[10_000]);
    }

    private void AddData()
    {
        Add("another team", "app_id", it => it.AppId = "AAAAAAAAAA" + it.AppId[10..]);
        Add("another app of the team", "app_id", it => it.AppId += ".other");
        Add("no app id", "app_id", it => it.AppId = "");
        Add("the same counter again", "counter", it => it.Counter = LastCounter);
        Add("a lower counter", "counter", it => it.Counter = LastCounter - 1);
        Add("a counter of zero", "counter", it => it.Counter = 0);
        Add("no authenticator data", "authenticator_data", it => it.AuthenticatorData = []);
        Add("36 bytes of authenticator data", "authenticator_data", it => it.AuthenticatorData = Attestation.WriteHeader(it.AppId, 0x40, 6)[..36]);
        Add("a byte after the counter", "authenticator_data", it => it.AuthenticatorData = [.. Attestation.WriteHeader(it.AppId, 0x40, 6), 0]);
        Add("extensions followed by a byte", "authenticator_data", it => it.AuthenticatorData = [.. Attestation.WriteHeader(it.AppId, 0xc0, 6), 0xa0, 0]);
        Add(
            "a doubled extension",
            "authenticator_data",
            it => it.AuthenticatorData = [.. Attestation.WriteHeader(it.AppId, 0xc0, 6), 0xa2, 0x61, 0x61, 0, 0x61, 0x61, 0]
        );
        Add("the authenticator data of an attestation", "authenticator_data", it => it.AuthenticatorData = key.Attest(clientDataHash).BuildAuthenticatorData());
    }

    private void AddEncodings()
    {
        var good = Next.Build();
        Add("nothing", "malformed", []);
        Add("JSON", "malformed", """{"signature":"","authenticatorData":""}"""u8.ToArray());
        Add("noise", "malformed", RandomNumberGenerator.GetBytes(140));
        Add("a truncated assertion", "malformed", good[..^1]);
        Add("an assertion followed by a byte", "malformed", [.. good, 0]);
        Add("an indefinite map", "malformed", [0xbf, .. good[1..], 0xff]);
        Add("a tagged assertion", "malformed", [0xc1, .. good]);
        Add("a list", "malformed", [0x82, .. good[1..]]);
        Add("a doubled signature", "malformed", [0xa3, .. good[1..(11 + good[12] + 2)], .. good[1..]]);
        Add("no signature field", "malformed", [0xa1, .. good[(11 + good[12] + 2)..]]);
        Add("no authenticator data field", "malformed", [0xa1, .. good[1..(11 + good[12] + 2)]]);
        Add("a signature that is text", "malformed", [0xa1, 0x69, .. "signature"u8, 0x61, 0x61]);
        Add("nine hundred levels", "malformed", [0xa1, 0x61, 0x61, .. Enumerable.Repeat((byte)0x81, 900), 0]);
        Add("two thousand bytes", "size", [.. good, .. new byte[2000]]);
        Add("an attestation", "size", key.Attest(clientDataHash).Build());
    }

    private static byte[] Set(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }

    private static byte[] Plain(byte[] signature)
    {
        var (r, s) = Numbers(signature);
        return [.. Fixed(r), .. Fixed(s)];
    }

    private static byte[] Fixed(BigInteger number)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[32 - bytes.Length], .. bytes];
    }

    private static byte[] Change(byte[] signature, Func<BigInteger, BigInteger> change)
    {
        var (r, s) = Numbers(signature);
        return Der(change(r), s);
    }

    private static (BigInteger R, BigInteger S) Numbers(byte[] signature)
    {
        var reader = new AsnReader(signature, AsnEncodingRules.DER).ReadSequence();
        return (reader.ReadInteger(), reader.ReadInteger());
    }

    private static byte[] Der(BigInteger r, BigInteger s)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(s);
        }
        return writer.Encode();
    }
}
