using System.Net;
using System.Text.Json;
using Reelbase.Server.Features.Accounts;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>An app's user is asked before anything of theirs goes to an AI provider, over real HTTP.</summary>
public sealed class AiConsentStoryTests(AiConsentStoryTests.Asking system) : IClassFixture<AiConsentStoryTests.Asking>
{
    /// <summary>An installation that asks, as a new one in Production does.</summary>
    public sealed class Asking : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Consent:Ai"] = "required" };
    }

    [Fact]
    public async Task A_press_without_consent_is_403_with_version_and_recipients_and_goes_through_with_the_same_key_once_it_was_given()
    {
        var phone = await system.NewGuestAsync();
        var key = Guid.NewGuid();
        var refused = await phone.GenerateAsync("A paper boat", key);
        Assert.True((HttpStatusCode.Forbidden, "ERR_4013") == (refused.Status, refused.Code), refused.Text);
        Assert.Equal(10, await phone.CreditsAsync());
        var details = refused["error"].GetProperty("details");
        Assert.Equal(["recipients", "version"], details.EnumerateObject().Select(member => member.Name).Order());
        var terms = await phone.GetAsync("/get-consent-terms");
        Assert.Equal(terms["version"].GetString(), details.GetProperty("version").GetString());
        Assert.Equal(terms["recipients"].GetRawText(), details.GetProperty("recipients").GetRawText());
        Assert.Contains("Google", terms["text"].GetString(), StringComparison.Ordinal);
        await phone.PostAsync(
            "/record-consent",
            new
            {
                kind = "ai_processing",
                version = details.GetProperty("version").GetString(),
                granted = true,
            }
        );
        var accepted = await phone.GenerateAsync("A paper boat", key);
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_start_says_in_a_line_what_holds_and_the_doctor_can_ask_for_it()
    {
        var rule = JsonSerializer.Deserialize<ConsentRuleState>(
            (await system.RowsAsync("select consent_rule()::text")).Single(),
            Reelbase.Server.Platform.Http.Json.Options
        )!;
        Assert.True(rule.IsRequired);
        Assert.Empty(rule.ModelsWithoutVendor);
        Assert.Contains("required (version 1)", ConsentRule.Describe(rule), StringComparison.Ordinal);
        Assert.Contains("set Consent:Ai to required", ConsentRule.Describe(rule with { State = "off" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_without_the_role_api_decides_nothing_about_consent_or_ages()
    {
        await using var planted = await system.WithSettingsAsync(
            new()
            {
                ["Server:Roles:0"] = "worker",
                ["Server:Roles:1"] = "worker",
                ["Consent:Ai"] = "off",
                ["Ages:Policy:under_13"] = "allow",
            }
        );
        Assert.Equal(["on|guardian"], await system.RowsAsync("select ai_consent, age_policies ->> 'under_13' from installation"));
    }
}
