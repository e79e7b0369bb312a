using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What users are asked to agree to: a version that holds, in their language, with who gets data; published once and never changed.</summary>
public sealed class ConsentTermsTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    private async Task<ApiResponse> ReadAsync(string kind, string language = "en", string? tag = null)
    {
        using var anybody = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{system.Url}/get-consent-terms?kind={kind}");
        request.Headers.AcceptLanguage.ParseAdd(language);
        if (tag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        }
        return await ApiResponse.ReadAsync(await anybody.SendAsync(request));
    }

    private Task<ApiResponse> PublishAsync(string kind, string version, object texts, string[]? recipients = null, HttpClient? admin = null) =>
        AdminSystem.PostAsync(
            admin ?? system.Admin,
            "/admin-publish-consent-terms",
            new
            {
                kind,
                version,
                texts,
                recipients = recipients ?? [],
                reason = "a test of terms",
            }
        );

    [Fact]
    public async Task A_new_installation_names_its_configured_providers_in_three_languages()
    {
        var english = await ReadAsync("ai_processing");
        Assert.True(english.Status == HttpStatusCode.OK, english.Text);
        Assert.Equal("1", english["version"].GetString());
        var recipients = english["recipients"].EnumerateArray().Select(name => name.GetString()!).ToList();
        Assert.Contains("fal.ai", recipients);
        Assert.Contains($"sent to: {string.Join(", ", recipients)}.", english["text"].GetString(), StringComparison.Ordinal);
        var others = new[]
        {
            (await ReadAsync("ai_processing", "tr-TR, en;q=0.5"))["text"].GetString(),
            (await ReadAsync("ai_processing", "es"))["text"].GetString(),
        };
        Assert.Equal(3, others.Append(english["text"].GetString()).Distinct().Count());
        Assert.All(others, text => Assert.Contains("fal.ai", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_published_version_holds_at_once_with_an_etag_and_is_never_changed()
    {
        Assert.Equal((HttpStatusCode.NotFound, "ERR_4007"), (await ReadAsync("terms") is var none ? none.Status : default, none.Code));
        Assert.Equal(HttpStatusCode.OK, (await PublishAsync("terms", "1", new { en = "One" })).Status);
        var first = await ReadAsync("terms", "tr");
        Assert.Equal("""{"kind":"terms","version":"1","recipients":[],"text":"One"}""", first.Text);
        var tag = first.Raw.Headers.ETag!;
        Assert.False(tag.IsWeak);
        Assert.Equal(HttpStatusCode.NotModified, (await ReadAsync("terms", "tr", tag.ToString())).Status);
        Assert.Equal(HttpStatusCode.OK, (await PublishAsync("terms", "2", new { en = "Two for {recipients}", tr = "İki" }, ["A lawyer"])).Status);
        Assert.Equal("""{"kind":"terms","version":"2","recipients":["A lawyer"],"text":"İki"}""", (await ReadAsync("terms", "tr", tag.ToString())).Text);
        Assert.Equal("Two for A lawyer", (await ReadAsync("terms", "es"))["text"].GetString());
        var again = await PublishAsync("terms", "2", new { en = "Other words" });
        Assert.Equal((HttpStatusCode.Conflict, "ERR_4012"), (again.Status, again.Code));
        foreach (var statement in new[] { "update consent_terms set texts = '{\"en\":\"Other words\"}'", "delete from consent_terms" })
        {
            Assert.Equal("23001", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => system.ExecuteAsync(statement))).SqlState);
        }
        Assert.Equal(
            2,
            (await system.GetAsync("/admin-list-consent-terms"))["rows"].EnumerateArray().Count(row => row.GetProperty("kind").GetString() == "terms")
        );
        Assert.Equal(
            ["terms 1", "terms 2"],
            await system.RowsAsync("select target_id from admin_actions where action_type = 'consent_terms_publish' order by created_at")
        );
    }

    [Fact]
    public async Task Bad_terms_and_whoever_is_no_operator_publish_nothing()
    {
        using var support = await system.TokenAsync("terms@support.example", "support");
        Assert.Equal(HttpStatusCode.Forbidden, (await PublishAsync("consumption_data", "1", new { en = "One" }, admin: support)).Status);
        foreach (
            var refused in new[]
            {
                await PublishAsync("cookies", "1", new { en = "One" }),
                await PublishAsync("consumption_data", "", new { en = "One" }),
                await PublishAsync("consumption_data", new string('1', 51), new { en = "One" }),
                await PublishAsync("consumption_data", "1", new { tr = "Bir" }),
                await PublishAsync("consumption_data", "1", new { en = "" }),
                await PublishAsync("consumption_data", "1", new { en = "One", fr = "Un" }),
                await PublishAsync("consumption_data", "1", "One"),
                await PublishAsync("consumption_data", "1", new { en = "One" }, [.. Enumerable.Repeat("Somebody", 51)]),
                await ReadAsync("cookies"),
            }
        )
        {
            Assert.True((HttpStatusCode.BadRequest, "ERR_4000") == (refused.Status, refused.Code), refused.Text);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await ReadAsync("consumption_data")).Status);
    }
}
