using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What a generation costs, and which settings it is made with.</summary>
[Quick]
public sealed class PricingTests(SqlDatabase database)
{
    private const string Surcharges =
        """{"settings": {"audio": {"surcharge_percent": {"true": 50}}, "resolution": {"surcharge_percent": {"4k": 100, "1080p": 25}}}}""";

    private const string Combined =
        """{"settings": {"audio": {"options": [true, false], "surcharge_percent": {"true": 50}}, "resolution": {"options": ["720p", "4k"]}}, "combination_surcharges": [{"when": {"audio": true, "resolution": "4k"}, "percent": 75}]}""";

    [Theory]
    // By generation: the duration changes nothing.
    [InlineData(8, "per_generation", null, "{}", "{}", 8)]
    [InlineData(8, "per_generation", null, "{}", """{"duration": 10}""", 8)]
    [InlineData(0, "per_generation", null, "{}", "{}", 0)]
    // By second: by the settled duration; without one the price of a generation.
    [InlineData(8, "per_second", 2, "{}", """{"duration": 4}""", 8)]
    [InlineData(8, "per_second", 2, "{}", """{"duration": 10}""", 20)]
    [InlineData(8, "per_second", 3, "{}", """{"duration": 1}""", 3)]
    [InlineData(8, "per_second", 2, "{}", "{}", 8)]
    // Surcharges add up and round up; an option without one, or of another setting, is free.
    [InlineData(8, "per_generation", null, Surcharges, """{"audio": true}""", 12)]
    [InlineData(8, "per_generation", null, Surcharges, """{"audio": false}""", 8)]
    [InlineData(8, "per_generation", null, Surcharges, """{"resolution": "4k"}""", 16)]
    [InlineData(8, "per_generation", null, Surcharges, """{"audio": true, "resolution": "4k"}""", 20)]
    [InlineData(7, "per_generation", null, Surcharges, """{"audio": true}""", 11)]
    [InlineData(1, "per_generation", null, Surcharges, """{"resolution": "1080p"}""", 2)]
    [InlineData(7, "per_second", 3, Surcharges, """{"duration": 5, "resolution": "1080p"}""", 19)]
    [InlineData(8, "per_generation", null, Surcharges, """{"resolution": "8k", "seed": 4}""", 8)]
    // A combination costs its own surcharge on top of its options'.
    [InlineData(8, "per_generation", null, Combined, """{"audio": true}""", 12)]
    [InlineData(8, "per_generation", null, Combined, """{"audio": true, "resolution": "4k"}""", 18)]
    [InlineData(8, "per_generation", null, Combined, """{"audio": false, "resolution": "4k"}""", 8)]
    [InlineData(8, "per_second", 2, Combined, """{"audio": true, "resolution": "4k", "duration": 4}""", 18)]
    public async Task A_generation_has_one_price(int cost, string type, int? perSecond, string fields, string settings, int price)
    {
        await using var db = await database.BeginAsync();
        Assert.Equal(
            price,
            await db.ValueAsync<int>(
                "select internal.price_generation($1, $2, $3::integer, $4, $5)",
                cost,
                type,
                (object?)perSecond ?? DBNull.Value,
                fields,
                settings
            )
        );
    }

    [Theory]
    [InlineData("5", "[5, 10]", "5")]
    [InlineData("6", "[5, 10]", "5")]
    [InlineData("8", "[5, 10]", "10")]
    // The shorter one when two are equally near, whatever their order.
    [InlineData("6", "[4, 8]", "4")]
    [InlineData("6", "[8, 4]", "4")]
    [InlineData("1", "[4, 6, 8]", "4")]
    [InlineData("60", "[4, 6, 8]", "8")]
    [InlineData("8.0", "[4, 6, 8]", "8")]
    // Outside 1 to 60, in parts, or no number at all: nothing.
    [InlineData("0", "[4, 8]", "null")]
    [InlineData("61", "[4, 8]", "null")]
    [InlineData("-4", "[4, 8]", "null")]
    [InlineData("4.5", "[4, 8]", "null")]
    [InlineData("\"4\"", "[4, 8]", "null")]
    [InlineData("true", "[4, 8]", "null")]
    [InlineData("null", "[4, 8]", "null")]
    [InlineData("[4]", "[4, 8]", "null")]
    [InlineData("7", "[]", "null")]
    // A model without options takes it as it is.
    [InlineData("7", null, "7")]
    [InlineData("61", null, "null")]
    public async Task A_duration_becomes_the_nearest_option(string value, string? options, string snapped)
    {
        await using var db = await database.BeginAsync();
        Assert.Equal(snapped, await db.ValueAsync<string>("select internal.snap_duration($1, $2)::text", value, (object?)options ?? DBNull.Value));
    }

    private const string Model = """
        {"settings": {
          "duration": {"options": [4, 6, 8], "default": 6},
          "resolution": {"options": ["720p", "1080p"], "default": "720p"},
          "audio": {"type": "boolean", "default": false},
          "seed": {"type": "number"},
          "aspect_ratio": {"options": ["16:9", "auto"], "default": "16:9"}}}
        """;

    private const string Defaults = """{"audio": false, "duration": 6, "resolution": "720p", "aspect_ratio": "16:9"}""";

    [Theory]
    [InlineData("{}", "{}", Defaults)]
    [InlineData("{}", """{"duration": 5}""", """{"audio": false, "duration": 4, "resolution": "720p", "aspect_ratio": "16:9"}""")]
    // Request over theme over default.
    [InlineData("""{"duration": 8}""", "{}", """{"audio": false, "duration": 8, "resolution": "720p", "aspect_ratio": "16:9"}""")]
    [InlineData("""{"duration": 8}""", """{"duration": 4}""", """{"audio": false, "duration": 4, "resolution": "720p", "aspect_ratio": "16:9"}""")]
    // A theme that asks for what this model cannot gets the default; a request is refused.
    [InlineData("""{"resolution": "4k"}""", "{}", Defaults)]
    [InlineData("{}", """{"resolution": "4k"}""", "ERR_4003 not_an_option")]
    [InlineData("{}", """{"duration": 61}""", "ERR_4003 not_an_option")]
    [InlineData("{}", """{"duration": "long"}""", "ERR_4003 not_an_option")]
    [InlineData("{}", """{"audio": "yes"}""", "ERR_4003 not_an_option")]
    [InlineData("{}", """{"seed": {"a": 1}}""", "ERR_4003 not_an_option")]
    // "auto" is the default, unless the model has an option of that name; null is as if it were not there.
    [InlineData("{}", """{"duration": "auto", "resolution": "auto"}""", Defaults)]
    [InlineData("{}", """{"aspect_ratio": "auto"}""", """{"audio": false, "duration": 6, "resolution": "720p", "aspect_ratio": "auto"}""")]
    [InlineData("""{"duration": 8}""", """{"duration": null}""", """{"audio": false, "duration": 8, "resolution": "720p", "aspect_ratio": "16:9"}""")]
    // A setting of the common vocabulary that this model lacks is left out; any other is refused.
    [InlineData("{}", """{"fps": 24, "negative_prompt": "rain"}""", Defaults)]
    [InlineData("{}", """{"colour": "blue"}""", "ERR_4003 unknown_setting")]
    [InlineData("""{"colour": "blue"}""", "{}", Defaults)]
    [InlineData("{}", """{"seed": 7}""", """{"seed": 7, "audio": false, "duration": 6, "resolution": "720p", "aspect_ratio": "16:9"}""")]
    public async Task Settings_are_the_requests_else_the_themes_else_the_models(string theme, string request, string settled)
    {
        await using var db = await database.BeginAsync();
        string found;
        try
        {
            found = await db.ValueAsync<string>("select internal.resolve_settings($1, $2, $3)::text", Model, theme, request);
        }
        catch (Npgsql.PostgresException error)
        {
            found = $"{error.MessageText} {System.Text.Json.JsonDocument.Parse(error.Hint!).RootElement.GetProperty("reason").GetString()}";
        }
        Assert.Equal(settled, found);
    }

    [Fact]
    public async Task Every_default_of_the_catalogue_costs_at_most_ten_and_every_option_has_a_price()
    {
        // Seedance 2.5 begins at four seconds and costs us 0.22 dollars for each: it is more than the free credits buy, and says so by its price.
        await using var db = await database.BeginAsync();
        Assert.Empty(
            await db.RowsAsync(
                """
                select name from models where internal.price_generation(cost_per_generation, pricing_type, credits_per_second,
                  required_fields, internal.resolve_settings(required_fields, '{}', '{}')) not between 1 and case when name like 'Seedance 2.5%' then 12 else 10 end
                """
            )
        );
        Assert.Empty(
            await db.RowsAsync(
                """
                select name, s.key, o from models, jsonb_each(required_fields -> 'settings') s, jsonb_array_elements(s.value -> 'options') o
                where internal.price_generation(cost_per_generation, pricing_type, credits_per_second, required_fields,
                  internal.resolve_settings(required_fields, '{}', jsonb_build_object(s.key, o))) is null
                """
            )
        );
    }
}
