using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What may not be asked for is refused before it is charged.</summary>
public sealed class ModerationTests(ModerationTests.Strict system) : IClassFixture<ModerationTests.Strict>
{
    /// <summary>A list, and a service that flags what says so.</summary>
    public sealed class Strict : TestSystem
    {
        /// <summary>What the service was asked.</summary>
        public System.Collections.Concurrent.ConcurrentQueue<(string Input, string? Key)> Asked { get; } = new();

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Moderation:Blocklist:0"] = "dragon",
                ["Moderation:Blocklist:1"] = "Yeşil ejderha",
                ["Moderation:Blocklist:2"] = "pez león",
                ["Moderation:ServiceUrl"] = $"{SimulatorsUrl}/moderation",
                ["Moderation:ServiceKey"] = "a-key",
                ["Moderation:TimeoutSeconds"] = Patience.ServerSeconds,
            };

        protected override void MapMore(WebApplication simulators) =>
            simulators.MapPost(
                "/moderation",
                async (HttpContext context, JsonElement body) =>
                {
                    var input = body.GetProperty("input").GetString()!;
                    Asked.Enqueue((input, context.Request.Headers.Authorization));
                    if (input.Contains("silence", StringComparison.Ordinal))
                    {
                        await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                    }
                    return input.Contains("nonsense", StringComparison.Ordinal)
                        ? Results.Text("what?")
                        : Results.Json(new { results = new[] { new { flagged = input.Contains("flag me", StringComparison.Ordinal) } } });
                }
            );
    }

    [Theory]
    [InlineData("A dragon over the town")]
    [InlineData("A DRAGON!")]
    [InlineData("a d-r-a-g-o-n at night")]
    [InlineData("drágon")]
    [InlineData("ｄｒａｇｏｎ in wide letters")]
    [InlineData("dra\u200Bgon with a hidden space")]
    [InlineData("iki YEŞİL EJDERHA uçuyor")]
    [InlineData("un pez   leon en el mar")]
    [InlineData("Please flag me")]
    public async Task What_is_not_allowed_is_refused_and_costs_nothing(string prompt)
    {
        var phone = await system.NewGuestAsync();
        var key = Guid.NewGuid();
        var refused = await phone.GenerateAsync(prompt, key);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal("ERR_5003", refused.Code);
        Assert.Equal("not_allowed", refused.Json.GetProperty("error").GetProperty("details").GetProperty("reason").GetString());
        Assert.DoesNotContain(prompt, refused.Text, StringComparison.Ordinal);
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{phone.UserId}'"));
        // The key stays free: a better prompt may come under it.
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("A paper boat", key)).Status);
    }

    [Theory]
    [InlineData("Snapdragons in a garden")]
    [InlineData("A dragonfly on a reed")]
    public async Task A_word_inside_a_word_is_no_match(string prompt)
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync(prompt)).Status);
        Assert.Contains((prompt, "Bearer a-key"), system.Asked);
    }

    [Theory]
    [InlineData("tr", "kredi")]
    [InlineData("es", "créditos")]
    public async Task The_refusal_speaks_the_callers_language(string language, string word)
    {
        var phone = await system.NewGuestAsync();
        phone.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        Assert.Contains(word, (await phone.GenerateAsync("A dragon")).Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("silence please")]
    [InlineData("nonsense please")]
    public async Task Without_an_answer_nothing_is_charged_unless_the_operator_allows_it(string prompt)
    {
        var phone = await system.NewGuestAsync();
        // Only what never answers meets the short time.
        await using var hasty = await system.WithSettingsAsync(new() { ["Moderation:TimeoutSeconds"] = "1" });
        var refused = await phone.GenerateAsync(prompt);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ERR_6001"), (refused.Status, refused.Code));
        Assert.Equal("moderation_unavailable", refused.Json.GetProperty("error").GetProperty("details").GetProperty("reason").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
        await using var lenient = await system.WithSettingsAsync(new() { ["Moderation:TimeoutSeconds"] = "1", ["Moderation:WhenUnreachable"] = "allow" });
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync(prompt)).Status);
    }

    [Fact]
    public async Task A_replay_gives_the_stored_answer_whatever_moderation_says_by_now()
    {
        var phone = await system.NewGuestAsync();
        var key = Guid.NewGuid();
        var first = await phone.GenerateAsync("A griffin at dawn", key);
        await using var stricter = await system.WithSettingsAsync(new() { ["Moderation:Blocklist:0"] = "griffin" });
        var again = await phone.GenerateAsync("A griffin at dawn", key);
        Assert.Equal(first.Text, again.Text);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await phone.GenerateAsync("A griffin at dawn")).Status);
    }
}
