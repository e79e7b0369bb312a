using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Simulators.Apple;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>What somebody might send instead of what Apple signs.</summary>
public sealed class ForgedSignatures
{
    private readonly AppleAuthority _apple = AppleAuthority.Create();
    private readonly AppleAuthority _mallory = AppleAuthority.Create();

    /// <summary>The root that is trusted.</summary>
    public byte[] Root => _apple.Root.RawData;

    /// <summary>A case: transaction or notification, and whether it is good.</summary>
    public sealed record Case(string Name, string Kind, string Jws, bool IsGood);

    /// <summary>Every case: a few good ones, so that a verifier which refuses everything fails, and the forgeries.</summary>
    public List<Case> All()
    {
        var cases = new List<Case>();
        void Good(string name, string jws, string kind = "transaction") => cases.Add(new(name, kind, jws, true));
        void Bad(string name, string jws, string kind = "transaction") => cases.Add(new(name, kind, jws, false));
        var payload = Payload();
        var good = _apple.Sign(Bytes(payload));

        Good("a transaction", good);
        Good("a notification", _apple.Sign(Bytes(Notification())), "notification");
        Good("nonsense as the third certificate", Jws("ES256", [Text(_apple.Leaf), Text(_apple.Intermediate), "AAAA"], payload));
        Good("a field that nobody knows", _apple.Sign(Bytes(With(payload, "newField", 1))));

        foreach (var alg in new[] { "none", "None", "NONE", "HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "", "es256" })
        {
            Bad($"the algorithm is said to be '{alg}'", _apple.Sign(Bytes(payload), alg));
        }
        Bad("no algorithm and no signature", Unsigned("none", payload) + ".");
        Bad("no header alg", Signed(new JsonObject { ["x5c"] = Chain() }, payload, _apple));
        Bad("a number as the algorithm", Signed(new JsonObject { ["alg"] = 256, ["x5c"] = Chain() }, payload, _apple));
        foreach (
            var (what, secret) in new[]
            {
                ("the leaf's certificate", _apple.Leaf.RawData),
                ("the leaf's public key", _apple.Leaf.PublicKey.ExportSubjectPublicKeyInfo()),
                ("the leaf's public key as text", Encoding.ASCII.GetBytes(_apple.Leaf.GetECDsaPublicKey()!.ExportSubjectPublicKeyInfoPem())),
                ("the root's certificate", _apple.Root.RawData),
            }
        )
        {
            var text = Unsigned("HS256", payload);
            Bad($"HS256 with {what} as the secret", $"{text}.{Base64.UrlEncode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text)))}");
        }

        Bad("another root", _mallory.Sign(Bytes(payload)));
        Bad("another chain below the name of the true root", _mallory.Sign(Bytes(payload), chain: [_mallory.Leaf, _mallory.Intermediate, _apple.Root]));
        Bad("another leaf below the true intermediate", _mallory.Sign(Bytes(payload), chain: [_mallory.Leaf, _apple.Intermediate, _apple.Root]));
        Bad("the true leaf below another intermediate", _apple.Sign(Bytes(payload), chain: [_apple.Leaf, _mallory.Intermediate, _apple.Root]));
        Bad("the true chain and another key", _apple.Sign(Bytes(payload), key: _mallory.Leaf.GetECDsaPrivateKey()));
        Bad("leaf and intermediate swapped", _apple.Sign(Bytes(payload), chain: [_apple.Intermediate, _apple.Leaf, _apple.Root]));
        Bad("the chain upside down", _apple.Sign(Bytes(payload), chain: [_apple.Root, _apple.Intermediate, _apple.Leaf]));
        Bad("the leaf three times", _apple.Sign(Bytes(payload), chain: [_apple.Leaf, _apple.Leaf, _apple.Leaf]));
        Bad("no intermediate", _apple.Sign(Bytes(payload), chain: [_apple.Leaf, _apple.Root, _apple.Root]));
        Bad("two certificates", _apple.Sign(Bytes(payload), chain: [_apple.Leaf, _apple.Intermediate]));
        Bad("one certificate", _apple.Sign(Bytes(payload), chain: [_apple.Leaf]));
        Bad("four certificates", _apple.Sign(Bytes(payload), chain: [_apple.Leaf, _apple.Intermediate, _apple.Root, _apple.Root]));
        Bad("no certificates", _apple.Sign(Bytes(payload), chain: []));
        Bad("no x5c", Signed(new JsonObject { ["alg"] = "ES256" }, payload, _apple));
        Bad("x5c is a text", Signed(new JsonObject { ["alg"] = "ES256", ["x5c"] = Text(_apple.Leaf) }, payload, _apple));
        Bad("x5c holds numbers", Signed(new JsonObject { ["alg"] = "ES256", ["x5c"] = new JsonArray(1, 2, 3) }, payload, _apple));
        Bad("a nonsense leaf", Jws("ES256", ["AAAA", Text(_apple.Intermediate), Text(_apple.Root)], payload));
        Bad("a nonsense intermediate", Jws("ES256", [Text(_apple.Leaf), "AAAA", Text(_apple.Root)], payload));
        Bad("a key in the header instead of a chain", Signed(new JsonObject { ["alg"] = "ES256", ["jwk"] = Jwk() }, payload, _mallory));
        Bad("a signature by the root", _apple.Sign(Bytes(payload), chain: [_apple.Root, _apple.Root, _apple.Root], key: _apple.Root.GetECDsaPrivateKey()));
        Bad("a self-signed leaf", SelfSigned(payload));
        Bad("a leaf that signed a leaf", SignedByLeaf(payload));
        foreach (
            var (what, leafOid, intermediateOid) in new (string, string?, string?)[]
            {
                ("the leaf lacks Apple's mark", null, AppleAuthority.DeveloperRelationsOid),
                ("the intermediate lacks Apple's mark", AppleAuthority.ReceiptSigningOid, null),
                ("both lack Apple's marks", null, null),
                ("the marks are exchanged", AppleAuthority.DeveloperRelationsOid, AppleAuthority.ReceiptSigningOid),
                ("the leaf has another mark of Apple's", "1.2.840.113635.100.6.11.2", AppleAuthority.DeveloperRelationsOid),
            }
        )
        {
            Bad(what, Reissued(payload, leafOid, intermediateOid));
        }
        var now = DateTimeOffset.UtcNow;
        Bad("a leaf that had ended when it signed", Reissued(payload, leafEnds: now.AddDays(-1)));
        Bad("signed before the leaf was valid", _apple.Sign(Bytes(With(payload, "signedDate", now.AddYears(-5).ToUnixTimeMilliseconds()))));
        Bad("signed after the leaf has ended", _apple.Sign(Bytes(With(payload, "signedDate", now.AddYears(3).ToUnixTimeMilliseconds()))));
        // In this order: the chain is remembered by the good one, and holds no longer than its youngest certificate.
        var young = AppleAuthority.Create(below: _apple.Root, leafBegins: now.AddYears(-1));
        Good("a leaf that is younger than its root", young.Sign(Bytes(payload)));
        Bad(
            "signed when the root was valid and the leaf was not yet",
            young.Sign(Bytes(With(payload, "signedDate", now.AddYears(-2).ToUnixTimeMilliseconds())))
        );
        Bad("a leaf on another curve", Reissued(payload, leafCurve: ECCurve.NamedCurves.nistP384));

        var parts = good.Split('.');
        var signature = Base64.UrlDecode(parts[2]);
        Bad("no signature", $"{parts[0]}.{parts[1]}.");
        Bad("a signature of 63 bytes", $"{parts[0]}.{parts[1]}.{Base64.UrlEncode(signature[..63])}");
        Bad("a signature of 65 bytes", $"{parts[0]}.{parts[1]}.{Base64.UrlEncode([.. signature, 0])}");
        Bad("a signature of zeros", $"{parts[0]}.{parts[1]}.{Base64.UrlEncode(new byte[64])}");
        Bad("its halves exchanged", $"{parts[0]}.{parts[1]}.{Base64.UrlEncode([.. signature[32..], .. signature[..32]])}");
        Bad("another transaction's signature", $"{parts[0]}.{parts[1]}.{_apple.Sign(Bytes(With(payload, "quantity", 2))).Split('.')[2]}");
        foreach (var (what, part) in new[] { ("header", 0), ("payload", 1), ("signature", 2) })
        {
            var bytes = Base64.UrlDecode(parts[part]);
            foreach (var at in new[] { 0.02, 0.3, 0.5, 0.8, 0.99 })
            {
                var flipped = (byte[])bytes.Clone();
                flipped[(int)(flipped.Length * at)] ^= 1;
                string[] changed = [.. parts];
                changed[part] = Base64.UrlEncode(flipped);
                Bad($"one bit of the {what} at {at:P0}", string.Join('.', changed));
            }
        }
        foreach (var share in new[] { 0.0, 0.25, 0.5, 0.75, 0.97 })
        {
            Bad($"cut off after {share:P0}", good[..(int)(good.Length * share)]);
        }
        Bad("two parts", $"{parts[0]}.{parts[1]}");
        Bad("four parts", good + "." + parts[2]);
        Bad("not even base64", "§.§.§");
        Bad("a payload that is no JSON", _apple.Sign("no JSON"u8.ToArray()));
        Bad("a payload that is a list", _apple.Sign("[]"u8.ToArray()));

        Bad("another app", _apple.Sign(Bytes(With(payload, "bundleId", "com.example.other"))));
        Bad("no app", _apple.Sign(Bytes(With(payload, "bundleId", null))));
        foreach (var environment in new[] { "Sandbox", "Xcode", "LocalTesting", "production", "" })
        {
            Bad($"the environment '{environment}'", _apple.Sign(Bytes(With(payload, "environment", environment))));
        }
        Bad("no environment", _apple.Sign(Bytes(With(payload, "environment", null))));
        Bad("the quantity is a text", _apple.Sign(Bytes(With(payload, "quantity", "1"))));
        Bad("the date is a text", _apple.Sign(Bytes(With(payload, "purchaseDate", "today"))));
        Bad("another app's notification", _apple.Sign(Bytes(Notification(appAppleId: 1))), "notification");
        Bad("a notification without an app number", _apple.Sign(Bytes(Notification(appAppleId: null))), "notification");
        Bad("a notification for another bundle", _apple.Sign(Bytes(Notification(bundleId: "com.example.other"))), "notification");
        Bad("a notification of the sandbox", _apple.Sign(Bytes(Notification(environment: "Sandbox"))), "notification");
        Bad("a notification from another root", _mallory.Sign(Bytes(Notification())), "notification");
        return cases;
    }

    private static JsonObject Payload() =>
        new()
        {
            ["transactionId"] = "2000000900000001",
            ["originalTransactionId"] = "2000000900000001",
            ["bundleId"] = TestSystem.BundleId,
            ["productId"] = "com.rendioai.credits.starter.25",
            ["purchaseDate"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            ["originalPurchaseDate"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            ["quantity"] = 1,
            ["type"] = "Consumable",
            ["inAppOwnershipType"] = "PURCHASED",
            ["signedDate"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            ["environment"] = "Production",
        };

    private static JsonObject Notification(long? appAppleId = 1234567890, string bundleId = TestSystem.BundleId, string environment = "Production")
    {
        var data = new JsonObject { ["bundleId"] = bundleId, ["environment"] = environment };
        if (appAppleId is not null)
        {
            data["appAppleId"] = appAppleId;
        }
        return new JsonObject
        {
            ["notificationType"] = "TEST",
            ["notificationUUID"] = Guid.NewGuid().ToString(),
            ["version"] = "2.0",
            ["signedDate"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            ["data"] = data,
        };
    }

    private static JsonObject With(JsonObject payload, string name, JsonNode? value)
    {
        var copy = (JsonObject)payload.DeepClone();
        copy.Remove(name);
        if (value is not null)
        {
            copy[name] = value;
        }
        return copy;
    }

    private static byte[] Bytes(JsonObject payload) => JsonSerializer.SerializeToUtf8Bytes(payload);

    private static string Text(X509Certificate2 certificate) => Convert.ToBase64String(certificate.RawData);

    private JsonArray Chain() => new(Text(_apple.Leaf), Text(_apple.Intermediate), Text(_apple.Root));

    private string Jws(string alg, string[] x5c, JsonObject payload) =>
        Signed(new JsonObject { ["alg"] = alg, ["x5c"] = new JsonArray([.. x5c.Select(entry => (JsonNode)entry)]) }, payload, _apple);

    private static string Signed(JsonObject header, JsonObject payload, AppleAuthority by)
    {
        var text = $"{Base64.UrlEncode(Bytes(header))}.{Base64.UrlEncode(Bytes(payload))}";
        return $"{text}.{Base64.UrlEncode(by.Leaf.GetECDsaPrivateKey()!.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }

    private string Unsigned(string alg, JsonObject payload) =>
        $"{Base64.UrlEncode(Bytes(new JsonObject { ["alg"] = alg, ["x5c"] = Chain() }))}.{Base64.UrlEncode(Bytes(payload))}";

    private JsonObject Jwk()
    {
        var point = _mallory.Leaf.GetECDsaPublicKey()!.ExportParameters(false).Q;
        return new()
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64.UrlEncode(point.X!),
            ["y"] = Base64.UrlEncode(point.Y!),
        };
    }

    private string SelfSigned(JsonObject payload)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Prod ECC Mac App Store and iTunes Store Receipt Signing", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(AppleAuthority.ReceiptSigningOid, [5, 0], false));
        using var leaf = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        return _apple.Sign(Bytes(payload), chain: [leaf, _apple.Intermediate, _apple.Root], key: key);
    }

    /// <summary>A true leaf is no authority, although its key can sign certificates as well as anything.</summary>
    private string SignedByLeaf(JsonObject payload)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Below a leaf", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(AppleAuthority.ReceiptSigningOid, [5, 0], false));
        using var leaf = request.Create(
            _apple.Leaf.SubjectName,
            X509SignatureGenerator.CreateForECDsa(_apple.Leaf.GetECDsaPrivateKey()!),
            DateTimeOffset.UtcNow.AddYears(-1),
            DateTimeOffset.UtcNow.AddYears(1),
            [1, 2, 3]
        );
        return _apple.Sign(Bytes(payload), chain: [leaf, _apple.Leaf, _apple.Root], key: key);
    }

    /// <summary>A chain below the trusted root that differs in one thing.</summary>
    private string Reissued(
        JsonObject payload,
        string? leafOid = AppleAuthority.ReceiptSigningOid,
        string? intermediateOid = AppleAuthority.DeveloperRelationsOid,
        DateTimeOffset? leafEnds = null,
        ECCurve? leafCurve = null
    )
    {
        var other = AppleAuthority.Create(leafOid, intermediateOid, leafEnds, leafCurve, _apple.Root);
        return other.Sign(Bytes(payload));
    }
}
