using System.Net;
using Microsoft.Extensions.Configuration;
using Reelbase.Server;
using Reelbase.Server.Features.Accounts.Ages;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>An app passes on the age range that its phone gives; what the policy of the band refuses says to the app what to do, and the band is in nobody's sight but the user's.</summary>
public sealed class AgeBandStoryTests(AgeBandStoryTests.Careful system) : IClassFixture<AgeBandStoryTests.Careful>
{
    /// <summary>An installation that blocks children and asks guardians of the young.</summary>
    public sealed class Careful : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Ages:Policy:under_13"] = "block", ["Ages:Policy:13_15"] = "guardian" };
    }

    private static Task<ApiResponse> DeclareAsync(Phone phone, int? lower, int? upper, string declaration) =>
        phone.PostAsync(
            "/set-age-band",
            new
            {
                lower_bound = lower,
                upper_bound = upper,
                declaration,
            }
        );

    [Fact]
    public async Task A_guardian_is_asked_for_and_the_same_press_goes_through_once_one_has_agreed()
    {
        var phone = await system.NewGuestAsync();
        var declared = await DeclareAsync(phone, 13, 15, "guardian");
        Assert.Equal("""{"success":true,"band":"13_15","policy":"guardian","may_generate":false}""", declared.Text);
        var key = Guid.NewGuid();
        var refused = await phone.GenerateAsync("A paper boat", key);
        Assert.True((HttpStatusCode.Forbidden, "ERR_4014") == (refused.Status, refused.Code), refused.Text);
        Assert.Equal(
            """{"kind":"guardian","policy":"guardian"}""",
            refused["error"].GetProperty("details").GetRawText().Replace(" ", "", StringComparison.Ordinal)
        );
        Assert.Equal(10, await phone.CreditsAsync());
        await ConsentAsync(phone, true);
        var accepted = await phone.GenerateAsync("A paper boat", key);
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        await ConsentAsync(phone, false);
        Assert.Equal("ERR_4014", (await phone.GenerateAsync("Another boat")).Code);
    }

    [Fact]
    public async Task What_is_blocked_is_refused_in_three_languages_and_what_is_wrong_names_its_field()
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal("block", (await DeclareAsync(phone, null, 12, "self"))["policy"].GetString());
        Assert.Equal(
            """{"policy":"block"}""",
            (await phone.GenerateAsync("A boat"))["error"].GetProperty("details").GetRawText().Replace(" ", "", StringComparison.Ordinal)
        );
        Assert.Equal(3, ErrorCatalog.Languages.Select(language => ErrorCatalog.Find("ERR_4014").Message(language)).Distinct().Count());
        foreach (
            var (wrong, field) in (((int?, int?, string), string)[])
                [((null, null, "self"), "lower_bound"), ((16, 13, "self"), "upper_bound"), ((13, 15, "a parent"), "declaration")]
        )
        {
            var answer = await DeclareAsync(phone, wrong.Item1, wrong.Item2, wrong.Item3);
            Assert.True((HttpStatusCode.BadRequest, "ERR_4000") == (answer.Status, answer.Code), answer.Text);
            Assert.Equal(field, answer["error"].GetProperty("details").GetProperty("field").GetString());
        }
        // A birthdate is no part of it, and whoever sends one finds nothing of it kept.
        await phone.PostAsync(
            "/set-age-band",
            new
            {
                birthdate = "2014-03-02",
                lower_bound = 0,
                upper_bound = 12,
                declaration = "self",
            }
        );
        Assert.Empty(await TablesWithAsync("2014-03-02"));
    }

    [Fact]
    public async Task The_band_is_in_no_other_table_and_in_no_answer_to_anybody_else()
    {
        var phone = await system.NewGuestAsync(100);
        await DeclareAsync(phone, 13, 15, "guardian");
        Assert.Equal("ERR_4014", (await phone.GenerateAsync("A boat")).Code);
        await Eventually.IsAsync(
            () => system.RowsAsync("select distinct coalesce(user_id::text, error_details::text, 'nobody') from error_log where error_code = 'ERR_4014'"),
            rows => rows is ["nobody"]
        );
        await ConsentAsync(phone, true);
        await phone.GenerateAndWatchAsync("A boat");
        // The policies by band are the installation's, and say nothing of anybody.
        Assert.Equal(["age_bands", "installation"], await TablesWithAsync("13_15"));
        foreach (
            var path in (string[])[$"/admin-get-user?user_id={phone.UserId}", $"/admin-user-stats?user_id={phone.UserId}", "/admin-list-actions", "/metrics"]
        )
        {
            Assert.DoesNotContain("13_15", (await system.GetAsync(path)).Text, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("13_15", (await phone.GetAsync("/get-user-profile")).Text, StringComparison.Ordinal);
        Assert.Contains("13_15", (await phone.PostAsync("/export-user-data", new { })).Text, StringComparison.Ordinal);
        await phone.PostAsync("/delete-account", new { });
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from age_bands where user_id = '{phone.UserId}'"));
    }

    [Fact]
    public void A_band_or_a_policy_that_does_not_exist_is_refused_by_its_key()
    {
        Assert.Equal(["Ages:Policy:under_12 is no age band; did you mean Ages:Policy:under_13?"], Wrong("under_12", "block"));
        Assert.Equal(["Ages:Policy:13_15 must be block, guardian or allow"], Wrong("13_15", "ask"));
        Assert.Empty(Wrong("UNDER_13", "allow"));
        Assert.Equal("allow", new AgesOptions { Policy = new() { ["UNDER_13"] = "allow" } }.Policies()["under_13"]);
        Assert.Equal("guardian", new AgesOptions().Policies()["under_13"]);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Ages:Policy"] = "block" }).Build();
        Assert.Equal(["Ages:Policy takes values by name, as Ages:Policy:NAME"], SettingNames.FindUnknown(configuration, ServerApp.Sections));

        static IReadOnlyList<string> Wrong(string band, string policy) => SectionRules.Check("Ages", new AgesOptions { Policy = new() { [band] = policy } });
    }

    private static Task<ApiResponse> ConsentAsync(Phone phone, bool isGranted) =>
        phone.PostAsync(
            "/record-consent",
            new
            {
                kind = "guardian",
                version = "1",
                granted = isGranted,
            }
        );

    private async Task<List<string>> TablesWithAsync(string text)
    {
        var found = new List<string>();
        foreach (
            var table in await system.RowsAsync("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1")
        )
        {
            if (await system.QueryAsync<bool>($"select exists (select from public.{table} t where strpos(t::text, '{text}') > 0)"))
            {
                found.Add(table);
            }
        }
        return found;
    }
}
