using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Tables over REST, as apps and their developers use them.</summary>
public sealed class RestTests(RestTests.Product system) : IClassFixture<RestTests.Product>
{
    /// <summary>A product that serves builds that are shipped too, and notices changes of tables at once.</summary>
    public sealed class Product : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Server:AcceptUnverifiedUserId"] = "true",
                ["Supabase:CatalogCheckSeconds"] = "0",
                ["Supabase:StatementTimeoutSeconds"] = "60",
            };

        public string AnonKey => Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();
    }

    private Task<ApiResponse> SendAsync(string method, string path, Phone? phone = null, string? body = null, params (string Name, string Value)[] headers) =>
        SendWithAsync(method, path, phone?.AccessToken, system.AnonKey, body, headers);

    private async Task<ApiResponse> SendWithAsync(
        string method,
        string path,
        string? bearer,
        string? key,
        string? body,
        params (string Name, string Value)[] headers
    )
    {
        using var client = system.Anybody();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/rest/v1/" + path);
        if (key is not null)
        {
            request.Headers.Add("apikey", key);
        }
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + (bearer ?? key));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        return await ApiResponse.ReadAsync(await client.SendAsync(request));
    }

    [Fact]
    public async Task A_session_that_was_ended_and_a_ban_close_the_tables_at_once()
    {
        var left = await system.NewGuestAsync();
        var banned = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", "users?select=id", left)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await left.PostAsync("/auth/v1/logout", new { })).Status);
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{banned.UserId}'");
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", "users?select=id", left)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", "models?select=id", left)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("GET", "users?select=id", banned)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("PATCH", $"users?id=eq.{banned.UserId}", banned, """{"language":"tr"}""")).Status);
    }

    [Fact]
    public async Task The_requests_of_the_shipped_app_are_answered_and_304_when_nothing_changed()
    {
        const string themes =
            "themes?is_available=eq.true&select=id,name,description,thumbnail_url,prompt,is_featured,is_available,default_settings,created_at&order=is_featured.desc,name.asc";
        const string models =
            "models?is_active=eq.true&is_available=eq.true&select=id,name,category,description,thumbnail_url,is_featured,cost_per_generation,required_fields";
        var found = await SendAsync("GET", themes, null, null, ("Prefer", "return=representation"), ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.OK, found.Status);
        Assert.True(found.Json.GetArrayLength() > 1);
        Assert.True(found.Json[0].GetProperty("is_featured").GetBoolean());
        Assert.Equal(JsonValueKind.Object, found.Json[0].GetProperty("default_settings").ValueKind);
        Assert.Matches("^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+(\\+00:00|Z)$", found.Json[0].GetProperty("created_at").GetString());
        var one = await SendAsync("GET", models);
        Assert.Equal(1, one.Json.GetArrayLength());
        Assert.Equal(JsonValueKind.Number, one.Json[0].GetProperty("cost_per_generation").ValueKind);
        foreach (var path in new[] { themes, models })
        {
            var first = await SendAsync("GET", path);
            var tag = first.Raw.Headers.ETag!.ToString();
            Assert.Equal(HttpStatusCode.NotModified, (await SendAsync("GET", path, null, null, ("If-None-Match", tag))).Status);
            Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", path, null, null, ("If-None-Match", "\"another\""))).Status);
        }
    }

    [Fact]
    public async Task A_key_of_a_file_is_the_link_of_the_status_and_is_never_compared()
    {
        var ada = await system.NewGuestAsync();
        var ben = await system.NewGuestAsync();
        var job = await ada.GenerateAndWatchAsync("A link, not a key");
        await ben.GenerateAndWatchAsync("Another one's");
        var id = job.GetProperty("job_id").GetString();
        var rows = await SendAsync("GET", "video_jobs?select=*,models(name)&order=created_at", ada);
        var row = Assert.Single(rows.Json.EnumerateArray());
        Assert.Equal(id, row.GetProperty("job_id").GetString());
        Assert.Equal(row.GetProperty("model_name").GetString(), row.GetProperty("models").GetProperty("name").GetString());
        var status = await ada.GetAsync($"/get-video-status?job_id={id}");
        Assert.Equal(status["video_url"].GetString(), row.GetProperty("video_url").GetString());
        Assert.Equal(HttpStatusCode.OK, (await system.Anybody().GetAsync(row.GetProperty("video_url").GetString())).StatusCode);
        var csv = await SendAsync("GET", "video_jobs?select=job_id,video_url", ada, null, ("Accept", "text/csv"));
        Assert.Contains("/storage/v1/object/sign/videos/", csv.Text, StringComparison.Ordinal);
        Assert.Equal(1, (await SendAsync("GET", "video_jobs?video_url=not.is.null", ada)).Json.GetArrayLength());
        foreach (
            var path in new[]
            {
                "video_url=like.*a*",
                "order=video_url",
                "select=video_url::text",
                "select=k:video_url->x",
                "or=(video_url.gt.a,job_id.is.null)",
                "video_url=in.(a)",
                "select=video_url.max()",
            }
        )
        {
            var refused = await SendAsync("GET", "video_jobs?" + path, ada);
            Assert.True(refused.Status is HttpStatusCode.Forbidden or HttpStatusCode.BadRequest, $"{path}: {refused.Status} {refused.Text}");
        }
        // Nor by another name, which an order of what is joined would take.
        foreach (
            var path in new[]
            {
                "quota_log?select=seq,video_jobs(k:video_url)&order=video_jobs(k)",
                "quota_log?select=seq,j:video_jobs(k:thumbnail_url)&order=j(k)",
                "quota_log?select=seq,video_jobs(job_id:video_url)&order=video_jobs(job_id)",
            }
        )
        {
            var refused = await SendAsync("GET", path, ada);
            Assert.True(refused.Status == HttpStatusCode.Forbidden, $"{path}: {refused.Status} {refused.Text}");
        }
        Assert.Equal("[]", (await SendAsync("GET", $"video_jobs?job_id=eq.{id}", ben)).Text);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", "video_jobs")).Status);
    }

    [Fact]
    public async Task A_user_changes_language_and_theme_and_nothing_else()
    {
        var ada = await system.NewGuestAsync();
        var ben = await system.NewGuestAsync();
        var own = $"users?id=eq.{ada.UserId}";
        var changed = await SendAsync(
            "PATCH",
            own + "&select=id,language,theme_preference",
            ada,
            """{"language":"tr","theme_preference":"dark"}""",
            ("Prefer", "return=representation")
        );
        Assert.Equal($$"""[{"id":"{{ada.UserId}}","language":"tr","theme_preference":"dark"}]""", changed.Text);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync("PATCH", own, ada, """{"language":"es"}""")).Status);
        foreach (var body in new[] { """{"credits_remaining":1000}""", """{"tier":"premium"}""", """{"is_admin":true}""", """{"updated_at":"2020-01-01"}""" })
        {
            var refused = await SendAsync("PATCH", own, ada, body);
            Assert.Equal((HttpStatusCode.Forbidden, "42501"), (refused.Status, refused["code"].GetString()));
        }
        var bad = await SendAsync("PATCH", own, ada, """{"language":"klingon"}""");
        Assert.Equal((HttpStatusCode.BadRequest, "23514"), (bad.Status, bad["code"].GetString()));
        Assert.Equal("[]", (await SendAsync("PATCH", own, ben, """{"language":"en"}""", ("Prefer", "return=representation"))).Text);
        Assert.Equal("21000", (await SendAsync("PATCH", "users", ada, """{"language":"en"}"""))["code"].GetString());
        foreach (var method in new[] { "DELETE", "POST", "PUT" })
        {
            var refused = await SendAsync(method, method == "POST" ? "users" : own, ada, method == "DELETE" ? null : $$"""{"id":"{{ada.UserId}}"}""");
            Assert.Equal((HttpStatusCode.Forbidden, "42501"), (refused.Status, refused["code"].GetString()));
        }
        var profile = await ada.GetAsync("/get-user-profile");
        Assert.Equal(("es", "dark"), (profile["language"].GetString(), profile["theme_preference"].GetString()));
        Assert.True(profile["updated_at"].GetDateTime() >= profile["created_at"].GetDateTime());
    }

    [Fact]
    public async Task Shipped_builds_change_settings_by_an_id_alone_and_hear_the_id_that_they_asked()
    {
        var ada = await system.NewGuestAsync();
        const string settings = """{"language":"tr","theme_preference":"dark"}""";
        foreach (var id in new[] { ada.UserId.ToString(), ada.UserId.ToString().ToUpperInvariant(), ada.DeviceId })
        {
            var changed = await SendAsync("PATCH", "users?id=eq." + id, null, settings, ("Prefer", "return=representation"));
            Assert.Equal(HttpStatusCode.OK, changed.Status);
            var row = Assert.Single(changed.Json.EnumerateArray());
            Assert.Equal(
                (id, "tr", "dark"),
                (row.GetProperty("id").GetString(), row.GetProperty("language").GetString(), row.GetProperty("theme_preference").GetString())
            );
        }
        // Nothing else of whoever the id names: no other column, no other table, no other change.
        var updated = await SendAsync("PATCH", "users?id=eq." + ada.UserId, null, settings, ("Prefer", "return=representation"));
        Assert.Equal(["id", "language", "theme_preference"], updated.Json[0].EnumerateObject().Select(property => property.Name));
        foreach (var more in new[] { "&select=id,email", "&select=id,quota_log(change)", "&select=x:apple_sub" })
        {
            var refused = await SendAsync("PATCH", $"users?id=eq.{ada.UserId}{more}", null, settings, ("Prefer", "return=representation"));
            Assert.True(refused.Status is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound, refused.Text);
        }
        foreach (var id in new[] { "guest-preview-id", Guid.NewGuid().ToString() })
        {
            Assert.Equal("[]", (await SendAsync("PATCH", "users?id=eq." + id, null, settings, ("Prefer", "return=representation"))).Text);
        }
        Assert.Equal("42501", (await SendAsync("PATCH", "users?id=eq." + ada.UserId, null, """{"tier":"premium"}"""))["code"].GetString());
        Assert.Equal("42501", (await SendAsync("GET", "users?id=eq." + ada.UserId))["code"].GetString());
        Assert.Equal("42501", (await SendAsync("PATCH", $"users?or=(id.eq.{ada.UserId},id.not.is.null)", null, settings))["code"].GetString());
    }

    [Fact]
    public async Task An_operators_own_table_is_served_as_soon_as_it_exists()
    {
        var guide = await File.ReadAllTextAsync(Repository.PathOf("docs/rest-tables.md"));
        var ada = await system.NewGuestAsync();
        var ben = await system.NewGuestAsync();
        Assert.Equal("PGRST205", (await SendAsync("GET", "favourites", ada))["code"].GetString());
        await system.ExecuteAsync("set role reelbase_owner; " + Regex.Match(guide, "```sql\n(.*?)```", RegexOptions.Singleline).Groups[1].Value);
        var theme = (await SendAsync("GET", "themes?select=id,name&limit=1")).Json[0];
        var id = theme.GetProperty("id").GetString();
        var added = await SendAsync("POST", "favourites?select=theme_id,themes(name)", ada, $$"""{"theme_id":"{{id}}"}""", ("Prefer", "return=representation"));
        Assert.Equal(HttpStatusCode.Created, added.Status);
        Assert.Equal(theme.GetProperty("name").GetString(), added.Json[0].GetProperty("themes").GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync("POST", "favourites", ada, $$"""{"theme_id":"{{id}}"}""")).Status);
        Assert.Equal(1, (await SendAsync("GET", "favourites?select=created_at,themes(name)", ada)).Json.GetArrayLength());
        Assert.Equal("[]", (await SendAsync("GET", "favourites", ben)).Text);
        var forged = await SendAsync("POST", "favourites", ben, $$"""{"theme_id":"{{id}}","user_id":"{{ada.UserId}}"}""");
        Assert.Equal((HttpStatusCode.Forbidden, "42501"), (forged.Status, forged["code"].GetString()));
        Assert.Equal("[]", (await SendAsync("DELETE", $"favourites?theme_id=eq.{id}", ben, null, ("Prefer", "return=representation"))).Text);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync("DELETE", $"favourites?theme_id=eq.{id}", ada)).Status);
        Assert.Equal("[]", (await SendAsync("GET", "favourites", ada)).Text);
    }

    [Fact]
    public async Task What_nobody_guards_is_not_served()
    {
        await system.ExecuteAsync(
            """
            create table open_house (id int primary key); insert into open_house values (1); grant select on open_house to anon;
            create view open_view as select * from models; grant select on open_view to anon;
            create view own_view with (security_invoker = true) as select id, name from models; grant select on own_view to anon;
            """
        );
        foreach (var path in new[] { "open_house", "open_view", "models?select=id,open_house(id)" })
        {
            Assert.NotEqual(HttpStatusCode.OK, (await SendAsync("GET", path)).Status);
        }
        Assert.Equal("42501", (await SendAsync("GET", "open_house"))["code"].GetString());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", "own_view?select=id,name")).Status);
        Assert.Equal("42501", (await SendAsync("GET", "models?select=provider_cost"))["code"].GetString());
        Assert.DoesNotContain("provider_model_id", (await SendAsync("GET", "models")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_over_its_time_ends()
    {
        await system.ExecuteAsync(
            """
            create function slow_row() returns boolean language plpgsql as $$ begin perform pg_sleep(300); return true; end $$;
            grant execute on function slow_row() to anon;
            create table slow_rows (id int); insert into slow_rows values (1); alter table slow_rows enable row level security;
            create policy slow_rows_read on slow_rows to anon using (slow_row()); grant select on slow_rows to anon;
            """
        );
        await using var hasty = await system.WithSettingsAsync(new() { ["Supabase:StatementTimeoutSeconds"] = "1" });
        var ended = await SendAsync("GET", "slow_rows");
        Assert.Equal((HttpStatusCode.GatewayTimeout, "57014"), (ended.Status, ended["code"].GetString()));
    }

    [Fact]
    public async Task Who_may_not_come_in_hears_it_in_the_form_that_clients_read()
    {
        Assert.Equal("No API key found in request", (await ApiResponse.ReadAsync(await system.Anybody().GetAsync("/rest/v1/models")))["message"].GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendWithAsync("GET", "models", null, "a.bad.key", null)).Status);
        var ada = await system.NewGuestAsync();
        var forged = await SendWithAsync("GET", "users", ada.AccessToken[..^4] + "AAAA", system.AnonKey, null);
        Assert.Equal((HttpStatusCode.Unauthorized, "PGRST301"), (forged.Status, forged["code"].GetString()));
        Assert.Equal("PGRST202", (await SendAsync("POST", "rpc/get_user_credits", ada, "{}"))["code"].GetString());
        Assert.Equal("PGRST125", (await SendAsync("GET", "models/1/2"))["code"].GetString());
        Assert.Equal("PGRST106", (await SendAsync("GET", "models", null, null, ("Accept-Profile", "auth")))["code"].GetString());
        Assert.Equal("PGRST117", (await SendAsync("TRACE", "models"))["code"].GetString());
        Assert.Equal("Perhaps you meant the table 'public.models'", (await SendAsync("GET", "model"))["hint"].GetString());
        Assert.Equal("PGRST102", (await SendAsync("POST", "models", null, new string('x', 2_000_000)))["code"].GetString());
    }

    /// <summary>Whatever a role is granted here, everybody who has the app may have: a change of this list is a decision.</summary>
    [Fact]
    public async Task The_surface_of_each_role_is_the_approved_one()
    {
        var text = new StringBuilder();
        foreach (var role in new[] { "anon", "authenticated", "service_role" })
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"## {role}\n\n");
            var rows = await system.RowsAsync(
                $"""
                select c.relname, string_agg(a.attname, ' ' order by a.attnum) filter (where has_column_privilege('{role}', c.oid, a.attnum, 'select')),
                  string_agg(a.attname, ' ' order by a.attnum) filter (where has_column_privilege('{role}', c.oid, a.attnum, 'insert')),
                  string_agg(a.attname, ' ' order by a.attnum) filter (where has_column_privilege('{role}', c.oid, a.attnum, 'update')),
                  case when has_table_privilege('{role}', c.oid, 'delete') then 'yes' end
                from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
                  and c.relname not in ('favourites', 'open_house', 'open_view', 'own_view', 'slow_rows')
                group by c.oid, c.relname order by c.relname
                """
            );
            foreach (var row in rows.Select(row => row.Split('|')).Where(row => row[1..].Any(part => part.Length > 0)))
            {
                text.Append(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{row[0]}\n  select: {row[1]}\n  insert: {row[2]}\n  update: {row[3]}\n  delete: {row[4]}\n"
                );
            }
            text.Append('\n');
        }
        await Repository.AssertApprovedAsync("tests/Reelbase.Tests/Conformance/Rest/surface.approved.txt", text.ToString());
    }
}
