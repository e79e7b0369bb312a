using System.Text.Json;
using Reelbase.Server.Features.Purchases;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A transaction on its way from Apple's words into SQL.</summary>
[Quick]
public sealed class PurchaseRecordTests
{
    private static readonly SignedTransaction Bought = new(
        "Production",
        "2000000900000001",
        "com.example.credits.25",
        "Consumable",
        2,
        new Guid("0123456789abcdef0123456789abcdef"),
        1_790_000_000_000,
        1_790_000_000_500,
        2_990,
        "EUR",
        "PURCHASED",
        40_000,
        "704000000000001"
    );

    [Theory]
    [InlineData("2000000900000001", true)]
    [InlineData("0", true)]
    [InlineData("GPA-az-AZ-09", true)]
    [InlineData("", false)]
    [InlineData("20000009 00000001", false)]
    [InlineData("2000000900000001\n", false)]
    [InlineData("\n2000000900000001", false)]
    [InlineData("2000000900000001/..", false)]
    [InlineData("２０００", false)]
    public void An_id_of_a_transaction_has_ascii_letters_digits_and_dashes_only(string text, bool isOne) =>
        Assert.Equal(isOne, PurchaseRecord.IsTransactionId(text));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void And_no_more_than_64_of_them(int length, bool isOne) => Assert.Equal(isOne, PurchaseRecord.IsTransactionId(new string('7', length)));

    [Theory]
    [InlineData("Consumable", "PURCHASED", null)]
    [InlineData("Non-Consumable", "PURCHASED", "not_a_consumable")]
    [InlineData("Auto-Renewable Subscription", "FAMILY_SHARED", "not_a_consumable")]
    [InlineData("Consumable", "FAMILY_SHARED", "not_purchased")]
    [InlineData("Consumable", "", "not_purchased")]
    public void Only_a_consumable_that_its_owner_bought_gives_credits(string type, string ownership, string? fault) =>
        Assert.Equal(fault, PurchaseRecord.Fault(Bought with { Type = type, OwnershipType = ownership }));

    [Fact]
    public void Sql_gets_each_field_under_its_own_name() =>
        Assert.Equal(
            """{"environment":"Production","transaction_id":"2000000900000001","product_id":"com.example.credits.25","quantity":2,"app_account_token":"01234567-89ab-cdef-0123-456789abcdef","price":2990,"currency":"EUR","purchased_at":1790000000000,"signed_at":1790000000500,"revoked_percentage":40000,"app_transaction_id":"704000000000001"}""",
            PurchaseRecord.ToJson(Bought)
        );

    [Fact]
    public void What_apple_leaves_out_is_null_in_sql()
    {
        using var json = JsonDocument.Parse(
            PurchaseRecord.ToJson(Bought with { AppAccountToken = null, Price = null, Currency = null, AppTransactionId = null })
        );
        foreach (var name in new[] { "app_account_token", "price", "currency", "app_transaction_id" })
        {
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty(name).ValueKind);
        }
    }

    [Fact]
    public void The_functions_answer_is_read_by_its_names() =>
        Assert.Equal(
            new RecordedPurchase("credited", null, 25, new Guid("0123456789abcdef0123456789abcdef")),
            RecordedPurchase.Read("""{"outcome":"credited","reason":null,"credits_added":25,"user_id":"01234567-89ab-cdef-0123-456789abcdef"}""")
        );
}
