using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The switch for shipped builds: whom it believes, how far, what it writes down, and how it closes.</summary>
public sealed class ShippedBuildTests(ShippedBuildTests.Open system) : IClassFixture<ShippedBuildTests.Open>
{
    private const int Misses = 5;
    private const int Guests = 3;

    /// <summary>The switch is open, with small limits.</summary>
    public sealed class Open : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Server:AcceptUnverifiedUserId"] = "true",
                ["Server:UnverifiedMissesPerHour"] = "5",
                ["Server:UnverifiedGuestsPerHour"] = "3",
            };

        public HttpClient App(string? address = null)
        {
            var http = Anybody();
            var key = ((AccessTokens)Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey();
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            http.DefaultRequestHeaders.Add("apikey", key);
            if (address is not null)
            {
                http.DefaultRequestHeaders.Add("X-Forwarded-For", address);
            }
            return http;
        }
    }

    [Fact]
    public async Task Ids_in_capitals_are_the_same_user_in_every_call_and_in_the_merge()
    {
        using var app = system.App();
        // Swift writes its UUIDs in capitals, and the device id is one.
        var device = Guid.NewGuid().ToString().ToUpperInvariant();
        var onboarded = await Phone.CheckAsync(system.Url, device, Phone.TokenOf(device));
        var user = onboarded["user_id"].GetString()!;
        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync($"/functions/v1/get-user-credits?user_id={user.ToUpperInvariant()}")).StatusCode);
        Assert.Equal(user, (await GetAsync(app, $"/functions/v1/get-user-profile?user_id={user.ToUpperInvariant()}"))["id"].GetString());
        Assert.Equal(user, (await GetAsync(app, $"/functions/v1/get-user-profile?user_id={device}"))["id"].GetString());
        var subject = "001." + Guid.NewGuid().ToString("N");
        var merged = await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = device, apple_sub = subject });
        Assert.Equal(
            (HttpStatusCode.OK, user),
            (merged.Status, merged.Status == HttpStatusCode.OK ? merged["user"].GetProperty("id").GetString() : merged.Text)
        );
        var job = await (await Phone.OnboardAsync(system.Url)).GenerateAsync("Capitals");
        var status = await GetAsync(app, $"/functions/v1/get-video-status?job_id={job["job_id"].GetString()!.ToUpperInvariant()}");
        Assert.Equal(job["job_id"].GetString(), status["job_id"].GetString());
    }

    [Theory]
    [InlineData("not-a-job")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("{0B9FD0A2-6A55-4D2E-A6C3-5C0D3A2F9B10}")]
    [InlineData("%00")]
    [InlineData("")]
    public async Task An_odd_job_id_is_refused_and_never_an_error_of_ours(string job)
    {
        using var app = system.App();
        var answer = await GetAsync(app, $"/functions/v1/get-video-status?job_id={job}");
        Assert.True((int)answer.Status is 400 or 404, answer.Text);
    }

    [Fact]
    public async Task An_install_that_could_not_onboard_is_a_guest_who_can_sign_in_and_an_address_makes_only_so_many()
    {
        using var app = system.App("192.0.2.10");
        var digits = "20000" + Random.Shared.NextInt64(1_000_000_000, 9_999_999_999);
        var capitals = Guid.NewGuid().ToString().ToUpperInvariant().Replace('0', 'A');
        var credits = await GetAsync(app, $"/functions/v1/get-user-credits?user_id={digits}");
        Assert.Equal((HttpStatusCode.OK, 0), (credits.Status, credits.Status == HttpStatusCode.OK ? credits["credits_remaining"].GetInt32() : -1));
        var profile = await GetAsync(app, $"/functions/v1/get-user-profile?user_id={digits}");
        Assert.True(profile["is_guest"].GetBoolean());
        Assert.Empty((await GetAsync(app, $"/functions/v1/get-video-jobs?user_id={digits}&limit=20&offset=0"))["jobs"].EnumerateArray());
        // At once, and it is one guest; then they sign in.
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => GetAsync(app, $"/functions/v1/get-user-profile?user_id={capitals}")));
        Assert.Single(ids.Select(answer => answer["id"].GetString()).Distinct());
        var merged = await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = capitals, apple_sub = "001." + Guid.NewGuid().ToString("N") });
        Assert.Equal(ids[0]["id"].GetString(), merged["user"].GetProperty("id").GetString());
        var third = await PostAsync(
            app,
            "/functions/v1/merge-guest-user",
            new { device_id = "20000" + Random.Shared.NextInt64(1_000_000_000, 9_999_999_999), apple_sub = "001." + Guid.NewGuid().ToString("N") }
        );
        Assert.Equal(HttpStatusCode.OK, third.Status);
        Assert.Equal(
            Guests,
            await system.QueryAsync<long>("select count(*) from rate_limit_log where action = 'unverified_guest' and ip_address = '192.0.2.10'")
        );
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(app, $"/functions/v1/get-user-credits?user_id=2000000012345678901")).Status);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_deleted_account_stays_gone_and_what_every_phone_sends_is_nobody()
    {
        using var app = system.App("192.0.2.11");
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(app, "/functions/v1/delete-account", new { user_id = phone.UserId })).Status);
        foreach (
            var id in new[] { phone.UserId.ToString(), phone.UserId.ToString().ToUpperInvariant(), "guest-preview-id", "user-placeholder-id", "device-123", "" }
        )
        {
            Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(app, $"/functions/v1/get-user-credits?user_id={id}")).Status);
        }
    }

    [Fact]
    public async Task Whoever_guesses_identifiers_is_stopped_and_accounts_of_that_address_go_on()
    {
        using var app = system.App("192.0.2.12");
        var phone = await system.NewGuestAsync();
        var guessed = new List<HttpStatusCode>();
        for (var attempt = 0; attempt < Misses + 3; attempt++)
        {
            guessed.Add((await GetAsync(app, $"/functions/v1/get-user-credits?user_id=guess-{attempt}")).Status);
        }
        Assert.Equal(Misses, guessed.Count(status => status == HttpStatusCode.NotFound));
        Assert.Equal(3, guessed.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(app, $"/functions/v1/get-user-credits?user_id={phone.UserId}")).Status);
        using var other = system.App("192.0.2.13");
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(other, "/functions/v1/get-user-credits?user_id=guess-1")).Status);
    }

    [Fact]
    public async Task A_job_needs_a_key_and_a_users_own_token_still_decides()
    {
        var phone = await system.NewGuestAsync();
        using var nobody = system.Anybody();
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(nobody, "/functions/v1/delete-account", new { user_id = phone.UserId })).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await nobody.GetAsync("/functions/v1/get-video-status?job_id=00000000-0000-0000-0000-000000000000")).StatusCode
        );
        var other = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.Forbidden, (await other.GetAsync($"/functions/v1/get-user-credits?user_id={phone.UserId}")).Status);
    }

    [Fact]
    public async Task Every_use_is_written_down_by_kind()
    {
        using var app = system.App();
        var phone = await system.NewGuestAsync();
        var job = await phone.GenerateAsync("Written down");
        await GetAsync(app, $"/functions/v1/get-user-credits?user_id={phone.UserId}");
        await GetAsync(app, $"/functions/v1/get-video-status?job_id={job["job_id"]}");
        await PostAsync(app, "/functions/v1/merge-guest-user", new { device_id = phone.UserId, apple_sub = "001." + Guid.NewGuid().ToString("N") });
        await Eventually.IsAsync(
            () => system.RowsAsync("select distinct kind from unverified_uses order by kind"),
            kinds => new[] { "job_id", "merge", "user_id" }.All(kinds.Contains)
        );
    }

    [Fact]
    public async Task A_refresh_token_of_the_former_project_opens_a_session_once_and_is_that_sessions_from_then_on()
    {
        var (user, token, predecessor) = (await NewUserAsync(), NewToken(), NewToken());
        await ImportAsync(user, "session one", token, predecessor);
        var first = await Task.WhenAll(Enumerable.Range(0, 10).Select(index => RefreshAsync(index % 2 == 0 ? token : predecessor)));
        Assert.All(first, answer => Assert.True(answer.Status == HttpStatusCode.OK, answer.Text));
        Assert.Single(first.Select(answer => answer["refresh_token"].GetString()).Distinct());
        Assert.All(first, answer => Assert.Equal(user, answer["user"].GetProperty("id").GetGuid()));
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{user}'"));
        using var own = system.Anybody();
        own.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", first[0]["access_token"].GetString());
        Assert.Equal(HttpStatusCode.OK, (await own.GetAsync("/get-user-credits")).StatusCode);
        // Days later with the answer lost, as long as nothing was refreshed since.
        await system.ExecuteAsync($"update sessions set refreshed_at = now() - interval '3 days' where user_id = '{user}'");
        Assert.Equal(first[0]["refresh_token"].GetString(), (await RefreshAsync(token))["refresh_token"].GetString());
        // Refreshed since: within the window the current one, later somebody else has it.
        var next = await RefreshAsync(first[0]["refresh_token"].GetString()!);
        await system.ExecuteAsync($"update sessions set refreshed_at = now() + interval '1 hour' where user_id = '{user}'");
        Assert.Equal(next["refresh_token"].GetString(), (await RefreshAsync(token))["refresh_token"].GetString());
        await system.ExecuteAsync($"update sessions set refreshed_at = now() - interval '11 seconds' where user_id = '{user}'");
        Assert.Equal("refresh_token_already_used", (await RefreshAsync(token))["error_code"].GetString());
        Assert.Equal("session_expired", (await RefreshAsync(next["refresh_token"].GetString()!))["error_code"].GetString());
        Assert.Equal("session_expired", (await RefreshAsync(token))["error_code"].GetString());
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from former_refresh_tokens t where t::text like '%{token}%'"));
    }

    [Fact]
    public async Task A_former_token_of_somebody_banned_gone_or_unknown_opens_nothing()
    {
        var (banned, gone) = (await NewUserAsync(), await NewUserAsync());
        var (bannedToken, goneToken) = (NewToken(), NewToken());
        await ImportAsync(banned, "banned", bannedToken);
        await ImportAsync(gone, "gone", goneToken);
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{banned}'; select internal.erase_account('{gone}')");
        Assert.Equal("user_banned", (await RefreshAsync(bannedToken))["error_code"].GetString());
        Assert.Equal("refresh_token_not_found", (await RefreshAsync(goneToken))["error_code"].GetString());
        Assert.Equal("refresh_token_not_found", (await RefreshAsync(NewToken()))["error_code"].GetString());
        Assert.False(await system.QueryAsync<bool>($"select internal.import_refresh_token(sha256('x'), '{Guid.NewGuid()}', 'nobody')"));
    }

    private async Task<Guid> NewUserAsync() => await system.QueryAsync<Guid>("insert into users (is_guest) values (true) returning id");

    private static string NewToken() => Guid.NewGuid().ToString("N")[..12];

    private async Task ImportAsync(Guid user, string family, params string[] tokens)
    {
        foreach (var token in tokens)
        {
            Assert.True(await system.QueryAsync<bool>($"select internal.import_refresh_token(sha256('{token}'), '{user}', '{family} {user}')"));
        }
    }

    /// <summary>As the app does it: an apikey, no bearer, no version.</summary>
    private async Task<ApiResponse> RefreshAsync(string token)
    {
        using var app = system.App();
        app.DefaultRequestHeaders.Authorization = null;
        return await PostAsync(app, "/auth/v1/token?grant_type=refresh_token", new { refresh_token = token });
    }

    private static async Task<ApiResponse> GetAsync(HttpClient http, string path) => await ApiResponse.ReadAsync(await http.GetAsync(path));

    private static async Task<ApiResponse> PostAsync(HttpClient http, string path, object body) =>
        await ApiResponse.ReadAsync(await http.PostAsJsonAsync(path, body));
}

/// <summary>How the switch closes, and what a database that is taken over in place brings.</summary>
public sealed class ShippedBuildSunsetTests
{
    private sealed class Sunset : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new() { ["Server:AcceptUnverifiedUserId"] = "true", ["Server:AcceptUnverifiedUserIdUntil"] = DateTimeOffset.UtcNow.AddHours(1).ToString("O") };
    }

    [Fact]
    public async Task After_its_date_the_switch_is_closed_for_every_kind_of_request_without_anybody_doing_anything()
    {
        await using var system = new Sunset();
        await system.InitializeAsync();
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAsync("Before the date"))["job_id"].GetString();
        var key = ((AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey();
        await system.ExecuteAsync($"select internal.import_refresh_token(sha256('abcdefghijkl'), '{phone.UserId}', 'a family')");
        Assert.Equal("200 200 200", await AskAsync());
        await system.RestartServerAsync(new() { ["Server:AcceptUnverifiedUserIdUntil"] = DateTimeOffset.UtcNow.AddSeconds(-1).ToString("O") });
        Assert.Equal("401 401 400", await AskAsync());
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync("/get-user-credits")).Status);

        async Task<string> AskAsync()
        {
            using var app = system.Anybody();
            app.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            var credits = await app.GetAsync($"/functions/v1/get-user-credits?user_id={phone.UserId}");
            var status = await app.GetAsync($"/functions/v1/get-video-status?job_id={job}");
            var tokens = await app.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = "abcdefghijkl" });
            return $"{(int)credits.StatusCode} {(int)status.StatusCode} {(int)tokens.StatusCode}";
        }
    }

    [Fact]
    public async Task A_supabase_database_taken_over_in_place_brings_the_refresh_tokens_that_count_as_hashes()
    {
        var owner = await TestCluster.EmptyAsync();
        await TestCluster.ExecuteAsync(
            owner,
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Platform", "Database", "Fixtures", "older-database.sql"))
                + """

                create schema if not exists auth;
                create table auth.refresh_tokens (id bigserial primary key, token varchar(255), user_id varchar(255), revoked boolean, parent varchar(255), session_id uuid);
                update users set auth_user_id = 'aaaaaaaa-0000-4000-8000-000000000001' where id = '10000000-0000-4000-8000-000000000001';
                insert into auth.refresh_tokens (token, user_id, revoked, parent, session_id) values
                  ('firstfirst01', 'aaaaaaaa-0000-4000-8000-000000000001', true, null, 'bbbbbbbb-0000-4000-8000-000000000001'),
                  ('secondsecond', 'aaaaaaaa-0000-4000-8000-000000000001', true, 'firstfirst01', 'bbbbbbbb-0000-4000-8000-000000000001'),
                  ('thirdthird01', 'aaaaaaaa-0000-4000-8000-000000000001', false, 'secondsecond', 'bbbbbbbb-0000-4000-8000-000000000001'),
                  ('ofnobodyhere', 'aaaaaaaa-0000-4000-8000-0000000000ff', false, null, 'bbbbbbbb-0000-4000-8000-000000000002');
                """
        );
        await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        await using var source = Npgsql.NpgsqlDataSource.Create(owner);
        await using var command = source.CreateCommand(
            """
            select string_agg(case token_hash when sha256('secondsecond') then 'second' when sha256('thirdthird01') then 'third' else 'another' end
              || ' ' || user_id || ' ' || family, ', ' order by token_hash = sha256('thirdthird01')) from former_refresh_tokens
            """
        );
        const string rest = " 10000000-0000-4000-8000-000000000001 bbbbbbbb-0000-4000-8000-000000000001";
        Assert.Equal($"second{rest}, third{rest}", (string?)await command.ExecuteScalarAsync());
    }
}
