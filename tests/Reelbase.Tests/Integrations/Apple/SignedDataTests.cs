using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Simulators.Apple;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>What is read of Apple's word once its signature is good: each field of its kind, about our app, in its environment.</summary>
[Quick]
public sealed class SignedDataTests : IDisposable
{
    private const long AppNumber = 1234567890;

    private readonly AppleAuthority _apple = AppleAuthority.Create();
    private readonly string _file = Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N") + ".cer");
    private readonly SignedData _data;

    public SignedDataTests()
    {
        File.WriteAllBytes(_file, _apple.Root.RawData);
        _data = new SignedData(Options.Create(Settings()), TimeProvider.System);
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public void A_transaction_is_read_field_by_field()
    {
        var token = Guid.NewGuid();
        var read = Transaction(
            payload =>
            {
                payload["quantity"] = 3;
                payload["appAccountToken"] = token.ToString();
                payload["price"] = 2990;
                payload["currency"] = "EUR";
                payload["inAppOwnershipType"] = "FAMILY_SHARED";
                payload["appTransactionId"] = "704000000000001";
            },
            out var fault
        );
        var signed = TransactionPayload();
        Assert.Equal("", fault);
        Assert.Equal(
            new SignedTransaction(
                "Production",
                "2000000900000001",
                "com.example.credits.25",
                "Consumable",
                3,
                token,
                read!.PurchaseDate,
                read.SignedDate,
                2990,
                "EUR",
                "FAMILY_SHARED",
                0,
                "704000000000001"
            ),
            read
        );
        Assert.Equal(1_000, (long)signed["signedDate"]! - (long)signed["purchaseDate"]!);
        Assert.Equal(1_000, read.SignedDate - read.PurchaseDate);
    }

    [Fact]
    public void What_apple_leaves_out_has_its_usual_meaning()
    {
        foreach (var empty in new Action<JsonObject>[] { _ => { }, payload => payload["appAccountToken"] = "", payload => payload["appAccountToken"] = null })
        {
            var read = Transaction(empty, out var fault);
            Assert.Equal("", fault);
            Assert.Equal(
                (1, null, null, null, "PURCHASED", 0, null),
                (read!.Quantity, read.AppAccountToken, read.Price, read.Currency, read.OwnershipType, read.RevocationPercentage, read.AppTransactionId)
            );
        }
    }

    [Theory]
    [InlineData(false, null, 0)]
    [InlineData(false, 50_000, 0)]
    [InlineData(true, null, 100_000)]
    [InlineData(true, 0, 0)]
    [InlineData(true, 1, 1)]
    [InlineData(true, 99_999, 99_999)]
    [InlineData(true, 100_001, 100_000)]
    [InlineData(true, -1, 0)]
    public void A_refund_is_what_apple_says_and_the_whole_where_it_says_no_share(bool isRevoked, int? percentage, int expected)
    {
        var read = Transaction(
            payload =>
            {
                if (isRevoked)
                {
                    payload["revocationDate"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
                }
                payload["revocationPercentage"] = percentage;
            },
            out _
        );
        Assert.Equal(expected, read!.RevocationPercentage);
    }

    public static TheoryData<string, string, string> BadFields
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var required in new[] { "transactionId", "productId", "type", "environment" })
            {
                data.Add(required, "null", "field");
                data.Add(required, "\"\"", "field");
                data.Add(required, "7", "field");
                data.Add(required, $"\"{new string('x', 201)}\"", "field");
            }
            foreach (var date in new[] { "purchaseDate", "signedDate" })
            {
                data.Add(date, "null", date == "signedDate" ? "malformed" : "field");
                data.Add(date, "\"today\"", date == "signedDate" ? "malformed" : "field");
            }
            foreach (var number in new[] { "quantity", "price", "revocationDate", "originalPurchaseDate" })
            {
                data.Add(number, "\"1\"", "field");
                data.Add(number, "1.5", "field");
            }
            data.Add("quantity", "2147483648", "field");
            data.Add("appAccountToken", "\"no token\"", "field");
            foreach (var text in new[] { "currency", "inAppOwnershipType", "originalTransactionId", "appTransactionId" })
            {
                data.Add(text, "7", "field");
            }
            data.Add("bundleId", "null", "bundle_id");
            data.Add("bundleId", "\"com.example.other\"", "bundle_id");
            data.Add("environment", "\"Xcode\"", "environment");
            data.Add("environment", "\"production\"", "environment");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(BadFields))]
    public void A_field_of_another_kind_makes_it_none(string field, string value, string expected)
    {
        Assert.Null(Transaction(payload => payload[field] = JsonNode.Parse(value), out var fault));
        Assert.Equal(expected, fault);
    }

    [Theory]
    [InlineData("productId", 200, true)]
    [InlineData("productId", 201, false)]
    public void A_name_has_no_more_than_200_letters(string field, int length, bool isRead) =>
        Assert.Equal(isRead, Transaction(payload => payload[field] = new string('x', length), out _) is not null);

    [Theory]
    [InlineData(40_000, true)]
    [InlineData(50_000, false)]
    public void No_more_than_64_kB_are_read(int length, bool isRead) =>
        Assert.Equal(isRead, Transaction(payload => payload["newField"] = new string('x', length), out _) is not null);

    [Theory]
    [InlineData("a1B2", "a1B2")]
    [InlineData("", null)]
    [InlineData("70-4", null)]
    [InlineData("７", null)]
    public void An_id_of_a_download_is_kept_only_as_letters_and_digits(string id, string? kept)
    {
        Assert.Equal(kept, Transaction(payload => payload["appTransactionId"] = id, out _)!.AppTransactionId);
        Assert.Equal(kept, ReadApp(payload => payload["appTransactionId"] = id, "Production", out _)?.AppTransactionId);
    }

    [Fact]
    public void And_with_no_more_than_a_hundred_of_them()
    {
        Assert.NotNull(Transaction(payload => payload["appTransactionId"] = new string('7', 100), out _)!.AppTransactionId);
        Assert.Null(Transaction(payload => payload["appTransactionId"] = new string('7', 101), out _)!.AppTransactionId);
    }

    [Theory]
    [InlineData("Production", null, "")]
    [InlineData("Sandbox", null, "")]
    [InlineData("Production", "Production", "")]
    [InlineData("Sandbox", "Sandbox", "")]
    [InlineData("Sandbox", "Production", "environment")]
    [InlineData("Production", "Sandbox", "environment")]
    public void A_transaction_is_of_the_environment_that_was_asked(string environment, string? asked, string expected)
    {
        var payload = TransactionPayload();
        payload["environment"] = environment;
        Assert.Equal(expected.Length == 0, _data.ReadTransaction(_apple.Sign(payload), out var fault, asked) is not null);
        Assert.Equal(expected, fault);
    }

    [Fact]
    public void A_notification_is_read_from_whichever_container_carries_it()
    {
        foreach (var container in new[] { "data", "summary", "appData", "externalPurchaseToken" })
        {
            var payload = NotificationPayload(container);
            payload["subtype"] = "INITIAL";
            payload[container]!["signedTransactionInfo"] = "a.b.c";
            var read = _data.ReadNotification(_apple.Sign(payload), out var fault);
            Assert.Equal("", fault);
            Assert.Equal(new SignedNotification("5f0c", "REFUND", "INITIAL", "Production", "a.b.c", null, (long)payload["signedDate"]!), read);
        }
        var download = NotificationPayload("appData");
        download["appData"]!["signedAppTransactionInfo"] = "d.e.f";
        Assert.Equal("d.e.f", _data.ReadNotification(_apple.Sign(download), out _)!.SignedAppTransactionInfo);
    }

    [Fact]
    public void A_notification_without_a_name_is_known_by_what_was_signed()
    {
        var payload = NotificationPayload("data");
        foreach (var name in new[] { "notificationUUID", "notificationType", "signedDate" })
        {
            payload.Remove(name);
        }
        var (first, again) = (_data.ReadNotification(_apple.Sign(payload), out _)!, _data.ReadNotification(_apple.Sign(payload), out _)!);
        Assert.Matches(@"\A[0-9a-f]{64}\z", first.Uuid);
        Assert.Equal((first.Uuid, "UNKNOWN", 0), (again.Uuid, first.Type, first.SignedDate));
        payload["subtype"] = "another";
        Assert.NotEqual(first.Uuid, _data.ReadNotification(_apple.Sign(payload), out _)!.Uuid);
        payload["notificationUUID"] = new string('u', 200);
        payload["notificationType"] = "nul\0";
        var named = _data.ReadNotification(_apple.Sign(payload), out _)!;
        Assert.Equal((new string('u', 200), "UNKNOWN"), (named.Uuid, named.Type));
        payload["notificationUUID"] = "";
        Assert.Matches(@"\A[0-9a-f]{64}\z", _data.ReadNotification(_apple.Sign(payload), out _)!.Uuid);
        payload["notificationUUID"] = new string('u', 201);
        Assert.Matches(@"\A[0-9a-f]{64}\z", _data.ReadNotification(_apple.Sign(payload), out _)!.Uuid);
    }

    [Theory]
    [InlineData("bundleId", "\"com.example.other\"", null, "bundle_id")]
    [InlineData("appAppleId", "1", null, "app_apple_id")]
    [InlineData("appAppleId", "null", null, "")]
    [InlineData("appAppleId", "null", "Production", "app_apple_id")]
    [InlineData("bundleId", "null", null, "")]
    [InlineData("bundleId", "null", "Production", "bundle_id")]
    [InlineData("environment", "\"Sandbox\"", null, "")]
    [InlineData("environment", "\"Sandbox\"", "Production", "environment")]
    [InlineData("environment", "\"Xcode\"", "Production", "environment")]
    [InlineData("environment", "\"Xcode\"", null, "")]
    public void A_notification_about_another_app_is_none_and_one_that_was_asked_for_says_all(string field, string value, string? asked, string expected)
    {
        foreach (var container in new[] { "data", "summary", "appData" })
        {
            var payload = NotificationPayload(container);
            payload[container]![field] = JsonNode.Parse(value);
            Assert.Equal(expected.Length == 0, _data.ReadNotification(_apple.Sign(payload), out var fault, asked) is not null);
            Assert.Equal(expected, fault);
        }
    }

    [Fact]
    public void The_sandbox_need_not_know_the_apps_number()
    {
        var payload = NotificationPayload("data");
        payload["data"]!["environment"] = "Sandbox";
        payload["data"]!["appAppleId"] = 1;
        Assert.Equal("Sandbox", _data.ReadNotification(_apple.Sign(payload), out _, "Sandbox")!.Environment);
        payload["data"]!["appAppleId"] = null;
        Assert.NotNull(_data.ReadNotification(_apple.Sign(payload), out _, "Sandbox"));
    }

    [Theory]
    [InlineData("bundleId", "\"com.example.other\"", "Production", "bundle_id")]
    [InlineData("receiptType", "\"Sandbox\"", "Production", "environment")]
    [InlineData("receiptType", "\"Xcode\"", "Xcode", "environment")]
    [InlineData("appAppleId", "1", "Production", "app_apple_id")]
    [InlineData("appAppleId", "null", "Production", "app_apple_id")]
    [InlineData("appTransactionId", "null", "Production", "app_transaction_id")]
    [InlineData("appTransactionId", "\"704\"", "Production", "")]
    public void A_download_is_of_our_app_and_of_the_environment_that_was_asked(string field, string value, string environment, string expected)
    {
        var read = ReadApp(payload => payload[field] = JsonNode.Parse(value), environment, out var fault);
        Assert.Equal(expected, fault);
        Assert.Equal(expected.Length == 0 ? new SignedAppTransaction("Production", "704") : null, read);
    }

    [Fact]
    public void A_download_in_the_sandbox_has_no_number_of_the_app() =>
        Assert.Equal(
            new SignedAppTransaction("Sandbox", "704000000000001"),
            ReadApp(
                payload =>
                {
                    payload["receiptType"] = "Sandbox";
                    payload["appAppleId"] = 0;
                },
                "Sandbox",
                out _
            )
        );

    [Fact]
    public void Nobody_elses_signature_is_read_by_any_of_them()
    {
        var mallory = AppleAuthority.Create();
        Assert.Null(_data.ReadTransaction(mallory.Sign(TransactionPayload()), out var fault));
        Assert.Equal("untrusted_chain", fault);
        Assert.Null(_data.ReadNotification(mallory.Sign(NotificationPayload("data")), out fault));
        Assert.Equal("untrusted_chain", fault);
        Assert.Null(_data.ReadAppTransaction(mallory.Sign(AppPayload()), out fault, "Production"));
        Assert.Equal("untrusted_chain", fault);
        Assert.Null(_data.ReadTransaction(null, out fault));
        Assert.Equal("malformed", fault);
    }

    [Fact]
    public void Without_settings_nothing_is_read_and_half_of_them_stop_the_start()
    {
        using var off = new SignedData(Options.Create(new AppStoreOptions()), TimeProvider.System);
        Assert.False(off.IsConfigured);
        Assert.Null(off.ReadTransaction(_apple.Sign(TransactionPayload()), out var fault));
        Assert.Equal("not_configured", fault);
        Assert.True(_data.IsConfigured);

        var settings = Settings();
        settings.AppAppleId = null;
        Assert.Contains(
            "AppAppleId",
            Assert.Throws<InvalidOperationException>(() => new SignedData(Options.Create(settings), TimeProvider.System)).Message,
            StringComparison.Ordinal
        );
    }

    private AppStoreOptions Settings() =>
        new()
        {
            BundleId = TestSystem.BundleId,
            AppAppleId = AppNumber,
            RootCertificateFile = _file,
            RootSha256 = Convert.ToHexStringLower(SHA256.HashData(_apple.Root.RawData)),
        };

    private SignedTransaction? Transaction(Action<JsonObject> change, out string fault)
    {
        var payload = TransactionPayload();
        change(payload);
        return _data.ReadTransaction(_apple.Sign(payload), out fault);
    }

    private SignedAppTransaction? ReadApp(Action<JsonObject> change, string environment, out string fault)
    {
        var payload = AppPayload();
        change(payload);
        return _data.ReadAppTransaction(_apple.Sign(payload), out fault, environment);
    }

    private static JsonObject TransactionPayload()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        return new()
        {
            ["transactionId"] = "2000000900000001",
            ["originalTransactionId"] = "2000000900000001",
            ["bundleId"] = TestSystem.BundleId,
            ["productId"] = "com.example.credits.25",
            ["purchaseDate"] = now - 1_000,
            ["type"] = "Consumable",
            ["signedDate"] = now,
            ["environment"] = "Production",
        };
    }

    private static JsonObject NotificationPayload(string container) =>
        new()
        {
            ["notificationType"] = "REFUND",
            ["notificationUUID"] = "5f0c",
            ["signedDate"] = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            [container] = new JsonObject
            {
                ["bundleId"] = TestSystem.BundleId,
                ["appAppleId"] = AppNumber,
                ["environment"] = "Production",
            },
        };

    private static JsonObject AppPayload() =>
        new()
        {
            ["bundleId"] = TestSystem.BundleId,
            ["receiptType"] = "Production",
            ["appAppleId"] = AppNumber,
            ["appTransactionId"] = "704000000000001",
        };
}
