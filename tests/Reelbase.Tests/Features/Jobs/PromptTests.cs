using System.Globalization;
using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What cannot become a video is refused before anything is charged.</summary>
public sealed class PromptTests(TestSystem system) : IClassFixture<TestSystem>
{
    private const string Runway = "a0000000-0000-4000-8000-00000000000b";

    [Theory]
    [InlineData("\u200b\u200b\u200b")] // zero-width spaces
    [InlineData("\u200c\u200d\u2060\ufeff")] // joiners
    [InlineData("\u200e\u200f\u202a\u202e\u2066\u2069\u061c")] // direction
    [InlineData("\u0301\u0301\u0301")] // combining marks without a letter
    [InlineData("\u0301 \u0302 \u20dd")]
    [InlineData("\u3164\u115f\u1160\uffa0")] // Hangul fillers
    [InlineData("\u00ad\u00ad\u00ad")] // soft hyphens
    [InlineData("\ufe0f\ufe0e\ufe00")] // variation selectors
    [InlineData("\udb40\udd00\udb40\uddef")]
    [InlineData("\udb40\udc68\udb40\udc69\udb40\udc7f")] // tags
    [InlineData("\u00a0\u1680\u2000\u2003\u2009\u202f\u205f\u3000\u2028\u2029\u0085")] // spaces
    [InlineData("\t\n\r \u0001\u007f\u009f")] // controls
    [InlineData("\u034f\u180b\u180e\u17b4\u17b5\u2800")] // joiners, separators, a blank of Braille
    [InlineData("\ufff9\ufffb\udbc0\udc00")] // annotations, private use
    [InlineData("a\u200b\u200b\u200bb")] // invisible ones do not help to three
    [InlineData("a \u2800\u3164 b")]
    public async Task A_prompt_of_invisible_characters_is_no_prompt(string prompt)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.GenerateAsync(prompt);
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4003"), (answer.Status, answer.Code));
        Assert.Equal("prompt", answer["error"].GetProperty("details").GetProperty("field").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("a b c")]
    [InlineData("猫猫猫")]
    [InlineData("e\u0301e\u0301e\u0301")]
    [InlineData("👨\u200d👩\u200d👧 ❤\ufe0f 🇹🇷")]
    [InlineData("नमस्ते")]
    [InlineData("\u200fשלום")]
    public async Task A_prompt_that_people_can_see_is_taken(string prompt)
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.GenerateAsync(prompt);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    [Fact]
    public async Task What_the_provider_cannot_take_is_refused_before_charging()
    {
        var phone = await system.NewGuestAsync(100);
        // 999 letters and a flag: 1,000 characters to a person, 1,003 units to Runway.
        var answer = await AskAsync(phone, new string('a', 999) + "🇹🇷");
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4003"), (answer.Status, answer.Code));
        var details = answer["error"].GetProperty("details");
        Assert.Equal(
            ("prompt", "too_long_for_model", 1000, 1003),
            (
                details.GetProperty("field").GetString(),
                details.GetProperty("reason").GetString(),
                details.GetProperty("limit").GetInt32(),
                details.GetProperty("length").GetInt32()
            )
        );
        Assert.Equal(100, await phone.CreditsAsync());
        // Exactly as much as fits is taken, and another provider takes the other too.
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(phone, new string('a', 996) + "🇹🇷")).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync(new string('a', 999) + "🇹🇷")).Status);
    }

    [Fact]
    public async Task A_themes_prompt_is_measured_like_any_other()
    {
        await system.ExecuteAsync("insert into themes (id, name, prompt) values ('5a000000-0000-4000-8000-0000000000ff', 'Long', repeat('😀', 501))");
        var phone = await system.NewGuestAsync(100);
        var answer = await phone.PostAsync("/generate-video", new { model_id = Runway, theme_id = "5a000000-0000-4000-8000-0000000000ff" }, Guid.NewGuid());
        Assert.Equal("ERR_4003", answer.Code);
        await system.ExecuteAsync("delete from themes where id = '5a000000-0000-4000-8000-0000000000ff'");
    }

    [Fact]
    public async Task Seeds_know_what_the_adapter_knows() =>
        Assert.Equal(
            [Server.Integrations.Runway.RunwayInput.MaxPromptUnits.ToString(CultureInfo.InvariantCulture)],
            await system.RowsAsync("select distinct required_fields ->> 'prompt_max_utf16' from models where provider = 'runway'")
        );

    [Theory]
    [InlineData("abc")]
    [InlineData("é😀🇹🇷")]
    [InlineData("\ud83d\ude00\ufe0f\udb40\udc68")]
    public async Task The_database_counts_units_as_the_vendor_does(string text) =>
        Assert.Equal(text.Length, await system.QueryAsync<int>($"select internal.utf16_length('{text}')"));

    private static Task<ApiResponse> AskAsync(Phone phone, string prompt) =>
        phone.PostAsync("/generate-video", new { model_id = Runway, prompt }, Guid.NewGuid());
}
