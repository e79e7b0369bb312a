using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What a model's row may say of its requests and of its prices: a row that could not be sent would fail every press after it was paid.</summary>
[Quick]
public sealed class ModelRowTests(SqlDatabase database)
{
    private const string Fields = """
        {"requires_prompt":true,"requires_image":false,"settings":{
          "duration":{"default":5,"options":[5,10]},"audio":{"default":false,"options":[true,false]},"resolution":{"default":"720p","options":["720p","1080p"]}}}
        """;

    private const string Good = """
        "duration":{"field":"duration","type":"digits"},"audio":{"field":"sound","type":"boolean"},"resolution":{"field":"resolution","type":"text"}
        """;

    [Theory]
    [InlineData("{\"settings\":{" + Good + "}}", "")]
    [InlineData("{\"settings\":{" + Good + "},\"always\":{\"mode\":\"fast\"},\"picture\":{\"field\":\"image_url\"}}", "")]
    // Each setting has a place.
    [InlineData("""{"settings":{"duration":{"field":"duration","type":"digits"}}}""", "has no place in the request")]
    [InlineData("""{"always":{"a":1}}""", "has no place in the request")]
    // Each option can be written in its type.
    [InlineData(
        """{"settings":{"duration":{"field":"d","type":"boolean"},"audio":{"field":"a"},"resolution":{"field":"r"}}}""",
        "cannot be written as boolean"
    )]
    [InlineData(
        """{"settings":{"duration":{"field":"d"},"audio":{"field":"a"},"resolution":{"field":"r","type":"integer"}}}""",
        "cannot be written as integer"
    )]
    [InlineData("""{"settings":{"duration":{"field":"d","type":"minutes"},"audio":{"field":"a"},"resolution":{"field":"r"}}}""", "settings.duration is")]
    [InlineData(
        """{"settings":{"duration":{"field":"d","type":"text","suffix":"s"},"audio":{"field":"a"},"resolution":{"field":"r"}}}""",
        "settings.duration is"
    )]
    [InlineData("""{"settings":{"duration":{"field":"d","unit":"s"},"audio":{"field":"a"},"resolution":{"field":"r"}}}""", "settings.duration is")]
    // No field is written twice.
    [InlineData("""{"settings":{"duration":{"field":"a"},"audio":{"field":"a"},"resolution":{"field":"r"}}}""", "which is taken")]
    [InlineData("""{"settings":{"duration":{"field":"prompt"},"audio":{"field":"a"},"resolution":{"field":"r"}}}""", "which is taken")]
    [InlineData("{\"settings\":{" + Good + "},\"always\":{\"sound\":true}}", "is written by a setting")]
    [InlineData("{\"settings\":{" + Good + "},\"always\":{\"deep\":{}}}", "always.deep is a field")]
    // What is always on cannot be chosen.
    [InlineData("{\"settings\":{" + Good + "},\"always_on\":[\"audio\"]}", "always_on names")]
    [InlineData("{\"settings\":{" + Good + "},\"picture\":{\"field\":\"a b\"}}", "picture is")]
    [InlineData("{\"settings\":{" + Good + "},\"combined\":[{\"field\":\"ratio\"}]}", "combined is")]
    [InlineData("{\"settings\":{" + Good + "},\"colour\":{}}", "colour is no part")]
    [InlineData("""{"settings":[]}""", "settings has the wrong type")]
    public async Task What_a_row_says_of_its_request_is_checked_where_it_is_written(string input, string fault)
    {
        await using var db = await database.BeginAsync();
        var said = "";
        try
        {
            await db.RunAsync(
                "insert into models (name, provider, provider_model_id, required_fields, provider_input) values ('A', 'fal', 'a/b', $1, $2)",
                Fields,
                input
            );
        }
        catch (PostgresException error)
        {
            Assert.Equal(("23514", "models_input"), (error.SqlState, error.ConstraintName));
            said = error.MessageText;
        }
        Assert.True(fault.Length == 0 ? said.Length == 0 : said.Contains(fault, StringComparison.Ordinal), said);
    }

    [Theory]
    [InlineData("""[{"when":{"audio":true,"resolution":"1080p"},"percent":40}]""", "")]
    [InlineData("""[{"when":{"audio":true,"resolution":"4k"},"percent":40}]""", "which is no option")]
    [InlineData("""[{"when":{"audio":"true","resolution":"1080p"},"percent":40}]""", "which is no option")]
    // A surcharge never lowers a price.
    [InlineData("""[{"when":{"audio":true,"resolution":"1080p"},"percent":-40}]""", "a combination is")]
    [InlineData("""[{"when":{"audio":true,"resolution":"1080p"},"percent":"40"}]""", "a combination is")]
    [InlineData("""[{"when":{},"percent":40}]""", "a combination is")]
    [InlineData("""{"when":{}}""", "is an array")]
    public async Task Surcharges_of_combinations_are_checked_where_they_are_written(string combinations, string fault)
    {
        await using var db = await database.BeginAsync();
        var said = "";
        try
        {
            await db.RunAsync(
                "insert into models (name, provider, provider_model_id, required_fields) values ('A', 'fal', 'a/b', $1::jsonb || jsonb_build_object('combination_surcharges', $2::jsonb))",
                Fields,
                combinations
            );
        }
        catch (PostgresException error)
        {
            said = error.MessageText;
        }
        Assert.True(fault.Length == 0 ? said.Length == 0 : said.Contains(fault, StringComparison.Ordinal), said);
    }

    [Fact]
    public async Task A_row_that_does_not_say_its_request_gets_the_one_of_its_endpoint_and_keeps_what_somebody_wrote()
    {
        await using var db = await database.BeginAsync();
        await db.RunAsync(
            "insert into models (id, name, provider, provider_model_id, required_fields) values ($1, 'A', 'fal', 'fal-ai/veo3.1/lite', $2)",
            Guid.Empty,
            Fields
        );
        Assert.Equal("s", await MapAsync("{settings,duration,suffix}"));
        // What was filled in follows the row.
        await db.RunAsync("update models set provider_model_id = 'fal-ai/kling-video/v3/pro/image-to-video' where id = $1", Guid.Empty);
        Assert.Equal("", await MapAsync("{settings,duration,suffix}"));
        Assert.Equal("start_image_url", await MapAsync("{picture,field}"));
        await db.RunAsync("update models set provider_input = $1 where id = $2", "{\"settings\":{" + Good + "}}", Guid.Empty);
        await db.RunAsync("update models set provider_model_id = 'fal-ai/veo3.1' where id = $1", Guid.Empty);
        Assert.Equal("sound", await MapAsync("{settings,audio,field}"));
        Assert.Equal("", await MapAsync("{settings,duration,suffix}"));

        async Task<string> MapAsync(string path) =>
            await db.ValueAsync<string>("select coalesce(provider_input #>> $1::text[], '') from models where id = $2", path, Guid.Empty);
    }
}
