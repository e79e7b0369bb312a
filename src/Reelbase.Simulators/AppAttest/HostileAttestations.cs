using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Reelbase.Simulators.AppAttest;

/// <summary>Something that somebody might send, and for what it has to be refused.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Reason">The one word for it.</param>
/// <param name="KeyId">The key id that goes with it.</param>
/// <param name="Bytes">The attestation or assertion.</param>
public sealed record HostileObject(string Name, string Reason, byte[] KeyId, byte[] Bytes);

/// <summary>Forged attestations. Each is made anew for the client data that it is to be sent with, and is right but for the one thing that its name says.</summary>
public sealed class HostileAttestations(AppAttestAuthority authority, string appId, byte[] clientDataHash)
{
    private const string Team = "AAAAAAAAAA";
    private readonly AppAttestAuthority _mallory = AppAttestAuthority.Create();
    private readonly PhoneKey _key = new(authority, appId);
    private readonly List<HostileObject> _made = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<HostileObject> All()
    {
        AddChains();
        AddNonces();
        AddAuthenticatorData();
        AddReceipts();
        AddEncodings();
        return _made;
    }

    private byte[] KeyId => Convert.FromBase64String(_key.KeyId);

    private void Add(string name, string reason, Action<Attestation> change, byte[]? keyId = null)
    {
        var attestation = _key.Attest(clientDataHash);
        change(attestation);
        Add(name, reason, attestation.Build(), keyId);
    }

    private void Add(string name, string reason, byte[] bytes, byte[]? keyId = null) => _made.Add(new(name, reason, keyId ?? KeyId, bytes));

    private void AddChains()
    {
        Add("a chain to another root", "untrusted_chain", it => (it.Issuer, it.ReceiptAuthority) = (_mallory.Intermediate, _mallory));
        Add("a leaf of another authority above the true intermediate", "untrusted_chain", it => it.Chain = _ => [Foreign(), authority.Intermediate.RawData]);
        Add("a leaf in the true issuer's name, signed by another key", "untrusted_chain", it => it.Signer = ECDsa.Create(ECCurve.NamedCurves.nistP384));
        Add("an intermediate of the true name by another root", "untrusted_chain", it => it.Issuer = SameName());
        Add("a leaf below a phone's own certificate", "untrusted_chain", BelowLeaf);
        Add("the certificates in reverse order", "untrusted_chain", it => it.Chain = leaf => [authority.Intermediate.RawData, leaf]);
        Add("the leaf twice and no intermediate", "untrusted_chain", it => it.Chain = leaf => [leaf, leaf]);
        Add(
            "a third certificate that is not of the chain",
            "untrusted_chain",
            it => it.Chain = leaf => [leaf, authority.Intermediate.RawData, _mallory.Root.RawData]
        );
        Add("the root of another authority instead of the intermediate", "untrusted_chain", it => it.Chain = leaf => [leaf, _mallory.Root.RawData]);
        Add(
            "a leaf directly below the root with the intermediate beside it",
            "untrusted_chain",
            it => (it.Issuer, it.Chain) = (authority.Root, leaf => [leaf, authority.Intermediate.RawData])
        );
        Add("a certificate that has ended", "expired", it => (it.From, it.To) = (DateTimeOffset.UtcNow.AddDays(-5), DateTimeOffset.UtcNow.AddHours(-1)));
        Add("a certificate that is not valid yet", "expired", it => (it.From, it.To) = (DateTimeOffset.UtcNow.AddHours(1), DateTimeOffset.UtcNow.AddDays(3)));
        Add("an intermediate that has ended", "expired", it => it.Issuer = Ended());
        Add("one certificate", "chain_length", it => it.Chain = leaf => [leaf]);
        Add("no certificate", "chain_length", it => it.Chain = _ => []);
        Add("no list of certificates", "chain_length", Attestation.Write("apple-appattest", null, [1], _key.Attest(clientDataHash).BuildAuthenticatorData()));
        Add("five certificates", "chain_length", it => it.Chain = leaf => [leaf, .. Enumerable.Repeat(authority.Intermediate.RawData, 4)]);
        Add("twelve certificates", "chain_length", it => it.Chain = leaf => [leaf, .. Enumerable.Repeat(new byte[10], 11)]);
        Add("noise as the leaf", "certificate", it => it.Chain = _ => [RandomNumberGenerator.GetBytes(700), authority.Intermediate.RawData]);
        Add("noise as the intermediate", "certificate", it => it.Chain = leaf => [leaf, RandomNumberGenerator.GetBytes(700)]);
        Add(
            "an empty certificate",
            "certificate",
            it =>
                it.Chain = _ =>
                    [
                        [],
                        authority.Intermediate.RawData,
                    ]
        );
        Add("a truncated certificate", "certificate", it => it.Chain = leaf => [leaf[..^1], authority.Intermediate.RawData]);
        Add(
            "a certificate followed by a byte",
            "certificate",
            it =>
                it.Chain = leaf =>
                    [
                        [.. leaf, 0],
                        authority.Intermediate.RawData,
                    ]
        );
        Add(
            "a certificate as PEM",
            "certificate",
            it => it.Chain = leaf => [Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE", leaf)), authority.Intermediate.RawData]
        );
        Add("a certificate of nine thousand bytes", "certificate", it => it.Chain = _ => [new byte[9000], authority.Intermediate.RawData]);
        Add("an RSA key", "leaf_key", it => it.CertifiedKey = RSA.Create(2048));
        Add("a key on P-384", "leaf_key", it => it.CertifiedKey = ECDsa.Create(ECCurve.NamedCurves.nistP384));
        Add("a key on another curve of 256 bits", "leaf_key", it => it.CertifiedKey = ECDsa.Create(ECCurve.CreateFromFriendlyName("brainpoolP256r1")));
    }

    private void AddNonces()
    {
        var nonce = Attestation.WriteNonce(SHA256.HashData([1]));
        Add("no extension with a nonce", "nonce_extension", it => it.NonceExtensions = []);
        Add("two extensions with a nonce", "nonce_extension", it => it.NonceExtensions = [Good(it), nonce]);
        Add("the true extension as the second of two", "nonce_extension", it => it.NonceExtensions = [nonce, Good(it)]);
        Add("an extension of noise", "nonce_extension", it => it.NonceExtensions = [RandomNumberGenerator.GetBytes(38)]);
        Add(
            "an empty extension",
            "nonce_extension",
            it =>
                it.NonceExtensions = [
                    [],
                ]
        );
        Add("a nonce of 31 bytes", "nonce_extension", it => it.NonceExtensions = [Attestation.WriteNonce(new byte[31])]);
        Add("a nonce of no bytes", "nonce_extension", it => it.NonceExtensions = [Attestation.WriteNonce([])]);
        Add(
            "a nonce without its tag",
            "nonce_extension",
            it =>
                it.NonceExtensions = [
                    [0x30, 0x22, 0x04, 0x20, .. new byte[32]],
                ]
        );
        Add(
            "a nonce under another tag",
            "nonce_extension",
            it =>
                it.NonceExtensions = [
                    [0x30, 0x24, 0xa2, 0x22, 0x04, 0x20, .. new byte[32]],
                ]
        );
        Add(
            "an extension followed by a byte",
            "nonce_extension",
            it =>
                it.NonceExtensions = [
                    [.. Good(it), 0],
                ]
        );
        Add(
            "a second nonce in the extension",
            "nonce_extension",
            it =>
                it.NonceExtensions = [
                    [0x30, 0x46, 0xa1, 0x22, 0x04, 0x20, .. new byte[32], 0x04, 0x20, .. new byte[32]],
                ]
        );
        Add(
            "a second nonce beside the true one",
            "nonce_extension",
            it =>
                it.NonceExtensions = [
                    [0x30, 0x46, 0xa1, 0x44, 0x04, 0x20, .. Nonce(it), 0x04, 0x20, .. new byte[32]],
                ]
        );
        Add("a nonce that was made up", "nonce", it => it.Nonce = RandomNumberGenerator.GetBytes(32));
        Add("a nonce of zeros", "nonce", it => it.Nonce = new byte[32]);
        Add(
            "the nonce of other client data",
            "nonce",
            it => it.Nonce = SHA256.HashData([.. it.BuildAuthenticatorData(), .. SHA256.HashData("another challenge"u8)])
        );
        Add("the hash of the client data as the nonce", "nonce", it => it.Nonce = clientDataHash);
        Add("the hash of the authenticator data alone as the nonce", "nonce", it => it.Nonce = SHA256.HashData(it.BuildAuthenticatorData()));
        Add("the nonce with its parts the other way round", "nonce", it => it.Nonce = SHA256.HashData([.. clientDataHash, .. it.BuildAuthenticatorData()]));
        Add(
            "authenticator data changed after Apple certified it",
            "nonce",
            it =>
            {
                it.Nonce = Nonce(it);
                it.Flags = 0x41;
            }
        );
        Add("a whole attestation for another challenge", "nonce", new PhoneKey(authority, appId).Attest(SHA256.HashData("old"u8)).Build());
    }

    private void AddAuthenticatorData()
    {
        var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Add("the key id of another key", "key_id", it => { }, SHA256.HashData(Attestation.Point(other)));
        Add("a key id of no bytes", "key_id", it => { }, []);
        Add("a key id of 31 bytes", "key_id", it => { }, KeyId[..31]);
        Add("a certificate of another key than the key id names", "key_id", it => it.CertifiedKey = other);
        Add("another team", "app_id", it => it.AppId = Team + appId[10..]);
        Add("another app of the team", "app_id", it => it.AppId = appId + ".other");
        Add("the bundle id without its team", "app_id", it => it.AppId = appId[11..]);
        Add("the app id in capitals", "app_id", it => it.AppId = appId.ToUpperInvariant());
        Add("no app id", "app_id", it => it.AppId = "");
        Add("a build from Xcode", "environment", it => it.Aaguid = Attestation.DevelopmentAaguid);
        Add("an authenticator of nobody", "environment", it => it.Aaguid = new byte[16]);
        Add("production's name padded with spaces", "environment", it => it.Aaguid = "appattest       "u8.ToArray());
        Add("an authenticator of WebAuthn", "environment", it => it.Aaguid = Convert.FromHexString("adce000235bcc60a648b0b25f1f05503"));
        Add("a counter of one", "counter", it => it.Counter = 1);
        Add("the greatest counter", "counter", it => it.Counter = uint.MaxValue);
        Add("the credential id of another key", "credential_id", it => it.CredentialId = SHA256.HashData(Attestation.Point(other)));
        Add("a credential id of 31 bytes", "credential_id", it => it.CredentialId = KeyId[..31]);
        Add("a credential id of no bytes", "credential_id", it => it.CredentialId = []);
        Add("a credential id of 33 bytes", "credential_id", it => it.CredentialId = [.. KeyId, 0]);
        Add("another key in the authenticator data", "credential_key", it => (it.CredentialKey, it.CredentialId) = (other, KeyId));
        Add("a key of another kind", "credential_key", it => it.AuthenticatorData = Replace(it, [0x01, 0x02, 0x03], [0x01, 0x03, 0x03]));
        Add("a key for another algorithm", "credential_key", it => it.AuthenticatorData = Replace(it, [0x03, 0x26], [0x03, 0x27]));
        Add("a key on another curve", "credential_key", it => it.AuthenticatorData = Replace(it, [0x20, 0x01], [0x20, 0x02]));
        Add("authenticator data of an assertion", "authenticator_data", it => it.AuthenticatorData = Attestation.WriteHeader(appId, 0x40, 0));
        Add("no authenticator data", "authenticator_data", it => it.AuthenticatorData = []);
        Add("36 bytes of authenticator data", "authenticator_data", it => it.AuthenticatorData = it.BuildAuthenticatorData()[..36]);
        Add("authenticator data that ends in the credential id", "authenticator_data", it => it.AuthenticatorData = it.BuildAuthenticatorData()[..60]);
        Add("authenticator data that ends before the key", "authenticator_data", it => it.AuthenticatorData = it.BuildAuthenticatorData()[..87]);
        Add("authenticator data that ends in the key", "authenticator_data", it => it.AuthenticatorData = it.BuildAuthenticatorData()[..^1]);
        Add("a credential id longer than the data", "authenticator_data", it => it.AuthenticatorData = LongId(it));
        Add("a byte after the key", "authenticator_data", it => it.Extensions = [0]);
        Add("extensions that are a list", "authenticator_data", it => it.Extensions = [0x80]);
        Add("extensions followed by a byte", "authenticator_data", it => it.Extensions = [0xa0, 0]);
        Add("extensions that end early", "authenticator_data", it => it.Extensions = Attestation.WriteExtensions(4)[..^1]);
        Add(
            "a validation category of three bytes",
            "authenticator_data",
            it => it.Extensions = [0xa1, 0x78, 0x1c, .. "apple_validation_category_01"u8, 0x43, 4, 0, 0]
        );
        Add("a validation category that is a number", "authenticator_data", it => it.Extensions = [0xa1, 0x78, 0x1c, .. "apple_validation_category_01"u8, 4]);
        Add("a doubled extension", "authenticator_data", it => it.Extensions = [0xa2, 0x61, 0x61, 0, 0x61, 0x61, 0]);
        Add("a thousand levels of extension", "malformed", it => it.Extensions = [0xa1, 0x61, 0x61, .. Enumerable.Repeat((byte)0x81, 1000), 0]);
    }

    private void AddReceipts()
    {
        Add("no receipt", "receipt", it => it.Receipt = _ => null);
        Add("an empty receipt", "receipt", it => it.Receipt = _ => []);
        Add("a receipt of noise", "receipt", it => it.Receipt = _ => RandomNumberGenerator.GetBytes(3000));
        Add("a receipt with its signature changed", "receipt", it => it.Receipt = receipt => Flip(receipt, receipt.Length - 1));
        Add("a receipt with its content changed", "receipt", it => it.Receipt = receipt => Flip(receipt, receipt.AsSpan().IndexOf("ATTEST"u8)));
        Add("a receipt of another authority", "receipt", it => it.ReceiptAuthority = _mallory);
        Add("a receipt for another app", "receipt", it => it.ReceiptFields = fields => fields[2] = "AAAAAAAAAA.com.example.other"u8.ToArray());
        Add("a receipt for another key", "receipt", it => it.ReceiptFields = fields => fields[3] = Foreign());
        Add("a receipt for other client data", "receipt", it => it.ReceiptFields = fields => fields[4] = SHA256.HashData("old"u8));
        Add("a receipt of Apple's later answer", "receipt", it => it.ReceiptFields = fields => fields[6] = "RECEIPT"u8.ToArray());
        Add("a receipt that names no key", "receipt", it => it.ReceiptFields = fields => fields.Remove(3));
        Add("a receipt cut short", "receipt", it => it.Receipt = receipt => receipt[..^40]);
    }

    private void AddEncodings()
    {
        var good = _key.Attest(clientDataHash).Build();
        foreach (var format in new[] { "", "none", "apple", "packed", "Apple-AppAttest", "apple-appattest " })
        {
            Add($"the format '{format}'", "format", it => it.Format = format);
        }
        Add("nothing", "malformed", Array.Empty<byte>());
        Add("JSON", "malformed", """{"fmt":"apple-appattest","attStmt":{"x5c":[]},"authData":""}"""u8.ToArray());
        Add("noise", "malformed", RandomNumberGenerator.GetBytes(5000));
        Add("a truncated attestation", "malformed", good[..^1]);
        Add("half an attestation", "malformed", good[..(good.Length / 2)]);
        Add("an attestation followed by a byte", "malformed", [.. good, 0]);
        Add("two attestations", "malformed", [.. good[..2000], .. good[..2000]]);
        Add("an indefinite map", "malformed", [0xbf, .. good[1..], 0xff]);
        Add("a tagged attestation", "malformed", [0xc1, .. good]);
        Add("a map that promises one field more", "malformed", [0xa4, .. good[1..]]);
        Add("a map with one field less", "malformed", [0xa2, .. good[1..]]);
        Add("a list", "malformed", [0x83, .. good[1..]]);
        Add("a doubled format", "malformed", [0xa4, .. good[1..21], .. good[1..]]);
        Add("a length written longer than needed", "malformed", [0xb8, 3, .. good[1..]]);
        Add("authenticator data before the statement", "malformed", Swapped(good));
        Add("a key that is a number", "malformed", [0xa1, 0x01, 0x01]);
        Add("a name that is no UTF-8", "malformed", [0xa1, 0x63, 0xff, 0xfe, 0xfd, 0x01]);
        Add("a string that promises four gigabytes", "malformed", [0xa1, 0x63, .. "fmt"u8, 0x7a, 0xff, 0xff, 0xff, 0xff]);
        Add(
            "a list that promises 2^63 certificates",
            "malformed",
            [0xa1, 0x67, .. "attStmt"u8, 0xa1, 0x63, .. "x5c"u8, 0x9b, 0x7f, .. Enumerable.Repeat((byte)0xff, 7)]
        );
        Add("fifteen thousand levels", "malformed", [0xa1, 0x61, 0x61, .. Enumerable.Repeat((byte)0x81, 15_000), 0]);
        Add("no statement", "malformed", [0xa2, .. good[1..21], 0x68, .. "authData"u8, 0x41, 0]);
        Add("a statement that is text", "malformed", [0xa2, .. good[1..21], 0x67, .. "attStmt"u8, 0x61, 0x61]);
        Add("certificates that are text", "malformed", [0xa2, .. good[1..21], 0x67, .. "attStmt"u8, 0xa1, 0x63, .. "x5c"u8, 0x81, 0x61, 0x61]);
        Add("twenty thousand bytes", "size", [.. good, .. new byte[20_000]]);
        Add("an assertion", "malformed", _key.Assert(clientDataHash));
    }

    private static byte[] Good(Attestation it) => Attestation.WriteNonce(Nonce(it));

    private static byte[] Nonce(Attestation it) => SHA256.HashData([.. it.BuildAuthenticatorData(), .. it.ClientDataHash]);

    private byte[] Foreign()
    {
        var theirs = new PhoneKey(_mallory, appId).Attest(clientDataHash);
        byte[] leaf = [];
        theirs.Chain = made => [leaf = made];
        theirs.Build();
        return leaf;
    }

    private X509Certificate2 SameName() => AppAttestAuthority.Authorize(authority.Intermediate.Subject, _mallory.Root, ECCurve.NamedCurves.nistP384);

    private X509Certificate2 Ended() =>
        AppAttestAuthority.Authorize(authority.Intermediate.Subject, authority.Root, ECCurve.NamedCurves.nistP384, DateTimeOffset.UtcNow.AddDays(-1));

    private void BelowLeaf(Attestation it)
    {
        var upper = new PhoneKey(authority, appId);
        byte[] leaf = [];
        var attestation = upper.Attest(clientDataHash);
        attestation.Chain = made => [leaf = made];
        attestation.Build();
        it.Issuer = X509CertificateLoader.LoadCertificate(leaf).CopyWithPrivateKey(upper.Key);
        it.Chain = lower => [lower, leaf, authority.Intermediate.RawData];
    }

    private static byte[] Replace(Attestation it, byte[] what, byte[] with)
    {
        var data = it.BuildAuthenticatorData();
        // The key begins after 87 bytes; what stands before is not meant.
        var at = 87 + data.AsSpan(87).IndexOf(what);
        with.CopyTo(data, at);
        return data;
    }

    private static byte[] LongId(Attestation it)
    {
        var data = it.BuildAuthenticatorData();
        data[53] = 0xff;
        return data;
    }

    private static byte[] Flip(byte[] bytes, int at)
    {
        bytes[at] ^= 1;
        return bytes;
    }

    /// <summary>The same three fields in another order than the canonical one.</summary>
    private static byte[] Swapped(byte[] good)
    {
        var data = good.AsSpan().LastIndexOf("hauthData"u8);
        return [0xa3, .. good[1..21], .. good[data..], .. good[21..data]];
    }
}
