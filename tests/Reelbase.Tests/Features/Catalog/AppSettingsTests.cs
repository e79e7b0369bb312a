using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Catalog.AppSettings;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Flags and limits change while everything runs: for apps at once, for every node by the change feed, with an audit row, or not at all.</summary>
public sealed class AppSettingsTests(AppSettingsTests.Installation system) : IClassFixture<AppSettingsTests.Installation>
{
    /// <summary>A system whose limits are as configured until somebody changes them.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Generation:GuestPerWindow"] = "50" };
    }

    private Task<ApiResponse> SaveAsync(Dictionary<string, object?> settings, Guid? key = null, HttpClient? admin = null) =>
        AdminSystem.PostAsync(admin ?? system.Admin, "/admin-save-app-settings", new { settings, reason = "a test of settings" }, key);

    private async Task<ApiResponse> ReadAsync(string? tag = null)
    {
        using var anybody = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, system.Url + "/get-app-settings");
        if (tag is not null)
        {
            request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(tag));
        }
        return await ApiResponse.ReadAsync(await anybody.SendAsync(request));
    }

    private static string? Flag(ApiResponse answer, string key) => answer["settings"].TryGetProperty(key, out var value) ? value.GetRawText() : null;

    private static void AssertRefused(ApiResponse answer, string field, string reason)
    {
        Assert.True((HttpStatusCode.BadRequest, "ERR_4000") == (answer.Status, answer.Code), answer.Text);
        var details = answer["error"].GetProperty("details");
        Assert.Equal((field, reason), (details.GetProperty("field").GetString(), details.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Apps_read_flags_with_an_etag_and_never_the_servers_limits()
    {
        Assert.Equal(HttpStatusCode.OK, (await SaveAsync(new() { ["etag.flag"] = "gold", ["Uploads:PerWindow"] = 61 })).Status);
        var first = await ReadAsync();
        Assert.Equal("\"gold\"", Flag(first, "etag.flag"));
        Assert.DoesNotContain("Uploads", first.Text, StringComparison.Ordinal);
        var tag = first.Raw.Headers.ETag!;
        Assert.False(tag.IsWeak);
        Assert.Equal(HttpStatusCode.NotModified, (await ReadAsync(tag.ToString())).Status);
        Assert.Equal(HttpStatusCode.OK, (await SaveAsync(new() { ["etag.flag"] = new { style = "silver", days = new[] { 1, 2 } } })).Status);
        var second = await ReadAsync(tag.ToString());
        Assert.Equal((HttpStatusCode.OK, """{"days":[1,2],"style":"silver"}"""), (second.Status, Flag(second, "etag.flag")));
        await SaveAsync(new() { ["etag.flag"] = null });
        Assert.Null(Flag(await ReadAsync(), "etag.flag"));
    }

    [Fact]
    public async Task A_value_with_as_many_levels_as_a_request_may_have_is_in_every_answer()
    {
        // The body and its settings are two of sixteen.
        object value = true;
        for (var level = 0; level < 13; level++)
        {
            value = new Dictionary<string, object> { ["in"] = value };
        }
        Assert.Equal(HttpStatusCode.OK, (await SaveAsync(new() { ["deep.flag"] = value })).Status);
        var answers = new[]
        {
            await ReadAsync(),
            await ApiResponse.ReadAsync(await system.Admin.GetAsync("/admin-list-app-settings")),
            await ApiResponse.ReadAsync(await system.Admin.GetAsync("/admin-list-actions")),
        };
        Assert.All(answers, answer => Assert.True(answer.Status == HttpStatusCode.OK, answer.Text));
        await SaveAsync(new() { ["deep.flag"] = null });
    }

    [Fact]
    public async Task A_bad_value_is_refused_by_its_key_and_changes_nothing_of_the_whole_request()
    {
        foreach (
            var (key, value, reason) in new (string, object?, string)[]
            {
                ("Generation:GuestPerWindow", -2, "out_of_range"),
                ("Generation:GuestPerWindow", 1_000_001, "out_of_range"),
                ("Generation:GuestPerWindow", 2.5, "not_a_whole_number"),
                ("Generation:GuestPerWindow", "20", "not_a_whole_number"),
                ("Generation:GuestPerWindow", 99_999_999_999, "not_a_whole_number"),
                ("Admin:MaxCredits", 5, "not_a_limit_that_can_be_changed"),
                ("Security:TokenSecret", null, "not_a_limit_that_can_be_changed"),
                ("Upper Case", true, "not_a_key"),
                ("", true, "not_a_key"),
                (new string('k', 65), true, "not_a_key"),
                ("long_text", new string('x', 4096), "too_long"),
            }
        )
        {
            AssertRefused(await SaveAsync(new() { ["a_good_one"] = true, [key] = value }), "settings." + key[..Math.Min(64, key.Length)], reason);
        }
        Assert.Null(Flag(await ReadAsync(), "a_good_one"));
        AssertRefused(await SaveAsync([]), "settings", "required");
        AssertRefused(await system.PostAsync("/admin-save-app-settings", new { settings = "x", reason = "a test" }), "settings", "required");
    }

    [Fact]
    public async Task All_flags_together_are_bounded_in_number_and_bytes_whoever_writes()
    {
        AssertRefused(await SaveAsync(Enumerable.Range(0, 101).ToDictionary(number => $"many_{number}", object? (number) => number)), "settings", "too_many");
        Assert.DoesNotContain("many_", (await ReadAsync()).Text, StringComparison.Ordinal);
        foreach (
            var rows in new[]
            {
                "values ('Generation:GuestPerWindow', '\"many\"'::jsonb)",
                "select 'large_' || number, to_jsonb(repeat('x', 4000)) from generate_series(1, 17) number",
                "select 'many_' || number, 'true' from generate_series(1, 101) number",
            }
        )
        {
            var refusal = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => system.ExecuteAsync("insert into app_settings (key, value) " + rows));
            Assert.Equal(("RB001", "ERR_4000"), (refusal.SqlState, refusal.MessageText));
        }
    }

    [Fact]
    public async Task A_repeated_key_is_one_change_with_one_audit_row_that_says_what_was()
    {
        await SaveAsync(new() { ["audited.flag"] = 1 });
        var key = Guid.NewGuid();
        var first = await SaveAsync(new() { ["audited.flag"] = 2 }, key);
        Assert.Equal("""{"changed":1,"success":true}""", first.Text);
        Assert.Equal(first.Text, (await SaveAsync(new() { ["audited.flag"] = 2 }, key)).Text);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SaveAsync(new() { ["audited.flag"] = 3 }, key)).Status);
        Assert.Equal(
            ["""{"audited.flag": {"to": 1, "from": null}}""", """{"audited.flag": {"to": 2, "from": 1}}"""],
            await system.RowsAsync(
                $"select details ->> 'changed' from admin_actions where action_type = 'app_settings_edit' and admin_user_id = '{system.AdminId}' and details -> 'changed' ? 'audited.flag' order by created_at, id"
            )
        );
        var listed = (await system.GetAsync("/admin-list-app-settings"))["rows"]
            .EnumerateArray()
            .Single(row => row.GetProperty("key").GetString() == "audited.flag");
        Assert.Equal(("2", "first@support.example"), (listed.GetProperty("value").GetRawText(), listed.GetProperty("updated_by").GetString()));
    }

    [Fact]
    public async Task Support_sees_settings_and_changes_none()
    {
        using var support = await system.TokenAsync("settings@support.example", "support");
        var refused = await SaveAsync(new() { ["of_support"] = true }, admin: support);
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4006"), (refused.Status, refused.Code));
        Assert.Equal(HttpStatusCode.OK, (await support.GetAsync("/admin-list-app-settings")).StatusCode);
        Assert.Null(Flag(await ReadAsync(), "of_support"));
    }

    [Fact]
    public async Task A_limit_that_is_changed_at_one_node_holds_at_every_other_without_a_restart()
    {
        await using var second = system.BuildServer();
        await second.StartAsync();
        var other = second.Services.GetRequiredService<ServerLimits>();
        var phone = await system.NewGuestAsync(1000);
        using var http = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(second)) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", phone.AccessToken);
        Assert.Equal("50", await LimitAsync());
        Assert.Equal(HttpStatusCode.OK, (await SaveAsync(new() { ["Generation:GuestPerWindow"] = 3 })).Status);
        await Eventually.IsAsync(() => Task.FromResult(other.Of("Generation:GuestPerWindow", 50)), limit => limit == 3);
        Assert.Equal("3", await LimitAsync());
        Assert.Equal("3", await LimitAsync());
        Assert.Null(await LimitAsync(HttpStatusCode.TooManyRequests));
        // A node that starts later knows it before it serves.
        await using (var third = system.BuildServer())
        {
            await third.StartAsync();
            Assert.Equal(3, third.Services.GetRequiredService<ServerLimits>().Of("Generation:GuestPerWindow", 50));
            await third.StopAsync();
        }
        Assert.Equal(HttpStatusCode.OK, (await SaveAsync(new() { ["Generation:GuestPerWindow"] = null })).Status);
        await Eventually.IsAsync(() => Task.FromResult(other.Of("Generation:GuestPerWindow", 50)), limit => limit == 50);
        await second.StopAsync();

        async Task<string?> LimitAsync(HttpStatusCode expected = HttpStatusCode.OK)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/generate-video")
            {
                Content = JsonContent.Create(new { model_id = Catalog.FastModel, prompt = "A kite" }),
            };
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
            using var answer = await http.SendAsync(request);
            Assert.True(expected == answer.StatusCode, await answer.Content.ReadAsStringAsync());
            return expected == HttpStatusCode.OK ? answer.Headers.GetValues("X-RateLimit-Limit").Single() : null;
        }
    }

    [Fact]
    public async Task The_limits_that_can_be_changed_are_settings_of_the_server_with_the_same_bounds()
    {
        var limits = (await system.GetAsync("/admin-list-app-settings"))["limits"].EnumerateArray().ToList();
        Assert.NotEmpty(limits);
        foreach (var limit in limits)
        {
            var name = limit.GetProperty("key").GetString()!;
            var range = Server
                .ServerApp.Sections.Where(section => section.Section == name.Split(':')[0])
                .Select(section => section.Type.GetProperty(name.Split(':')[1]))
                .Single(property => property is not null)!
                .GetCustomAttributes(false)
                .OfType<System.ComponentModel.DataAnnotations.RangeAttribute>()
                .Single();
            Assert.Equal((name, range.Minimum, range.Maximum), (name, limit.GetProperty("min").GetInt32(), limit.GetProperty("max").GetInt32()));
            // Something in the program goes by it.
            Assert.Contains(
                Repository.Files("src/Reelbase.Server/Features", "*.cs"),
                file => File.ReadAllText(file).Contains($"(\"{name}\", ", StringComparison.Ordinal)
            );
        }
    }
}
