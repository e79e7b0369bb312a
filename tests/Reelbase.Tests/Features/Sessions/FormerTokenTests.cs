using System.Net;
using Npgsql;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Refresh tokens of the former project that nobody has used yet end with everything that ends sessions.</summary>
public sealed class FormerTokenTests(FormerTokenTests.Installation system) : IClassFixture<FormerTokenTests.Installation>
{
    /// <summary>The switch is open, and there is an admin.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Server:AcceptUnverifiedUserId"] = "true" };
    }

    [Theory]
    [InlineData("support ends the sessions")]
    [InlineData("support ends the sessions of the member that a guest has become part of")]
    [InlineData("Apple says that its consent was withdrawn")]
    [InlineData("Apple says that the account is gone")]
    [InlineData("the user signs out everywhere")]
    [InlineData("the guest is linked with Apple")]
    [InlineData("the guest becomes part of a member")]
    [InlineData("the account is deleted")]
    public async Task It_opens_nothing_any_more_when(string what)
    {
        var (phone, subject) = (await system.NewGuestAsync(), "former." + Guid.NewGuid().ToString("N"));
        var (token, untouched) = (await NewTokenAsync(phone.UserId), await NewTokenAsync((await system.NewGuestAsync()).UserId));
        switch (what)
        {
            case "support ends the sessions":
                await EndAsync(phone.UserId);
                break;
            case "support ends the sessions of the member that a guest has become part of":
                // Their tokens come later than the merge does: an import that was run again brings them.
                var merged = await MemberOfAsync(subject, phone);
                token = await NewTokenAsync(phone.UserId);
                await EndAsync(merged);
                break;
            case "Apple says that its consent was withdrawn":
            case "Apple says that the account is gone":
                await SignInAsync(phone, subject);
                token = await NewTokenAsync(phone.UserId);
                var type = what.EndsWith("gone", StringComparison.Ordinal) ? "account-deleted" : "consent-revoked";
                Assert.True((await system.PretendApple.AccountEventAsync(type, subject)).GetProperty("accepted").GetBoolean());
                await Eventually.IsAsync(
                    () => system.QueryAsync<long>("select count(*) from webhook_deliveries where inbox = 'apple_account' and status = 'pending'"),
                    rows => rows == 0
                );
                break;
            case "the user signs out everywhere":
                Assert.Equal(HttpStatusCode.NoContent, (await phone.PostAsync("/auth/v1/logout?scope=global", new { })).Status);
                break;
            case "the guest is linked with Apple":
                await SignInAsync(phone, subject);
                break;
            case "the guest becomes part of a member":
                await MemberOfAsync(subject, phone);
                break;
            case "the account is deleted":
                Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-account", new { })).Status);
                break;
        }
        var sessions = await SessionsAsync(phone.UserId);
        var refused = await RefreshAsync(token);
        Assert.Equal((what, HttpStatusCode.BadRequest), (what, refused.Status));
        Assert.Contains(refused["error_code"].GetString(), (string[])["session_expired", "refresh_token_not_found"]);
        Assert.Equal(sessions, await SessionsAsync(phone.UserId));
        // It was the event that ended it: somebody else's still opens a session.
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(untouched)).Status);
    }

    [Theory]
    [InlineData("select apply_account_event('consent-revoked', '{1}', now() + interval '1 hour')")]
    [InlineData(
        "select set_config('request.jwt.claims', jsonb_build_object('sub', '{0}', 'session_id', '{2}', 'role', 'authenticated')::text, false), end_sessions('global')"
    )]
    [InlineData(
        "select set_config('request.jwt.claims', jsonb_build_object('sub', '{0}', 'session_id', '{2}', 'role', 'authenticated')::text, false), end_sessions('others')"
    )]
    public async Task A_session_that_is_being_opened_with_one_ends_with_the_others(string statement)
    {
        var (phone, subject) = (await system.NewGuestAsync(), "racing." + Guid.NewGuid().ToString("N"));
        await system.ExecuteAsync($"update users set is_guest = false, apple_sub = '{subject}' where id = '{phone.UserId}'");
        var token = await NewTokenAsync(phone.UserId);
        var own = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{phone.UserId}'");
        var opened = Guid.NewGuid();
        await using var opening = new NpgsqlConnection(system.Owner);
        await opening.OpenAsync();
        await using var transaction = await opening.BeginTransactionAsync();
        await using var open = new NpgsqlCommand(
            $"select outcome from use_former_refresh_token(sha256('{token}'), '{opened}', sha256('{opened}'), 10, 50)",
            opening,
            transaction
        );
        Assert.Equal("ok", (string?)await open.ExecuteScalarAsync());
        await using var ending = new NpgsqlConnection(system.Owner);
        await ending.OpenAsync();
        await using var end = new NpgsqlCommand(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, statement, phone.UserId, subject, own),
            ending
        );
        var ended = end.ExecuteNonQueryAsync();
        await Eventually.IsAsync(
            () => system.QueryAsync<bool>($"select exists (select from pg_stat_activity where pid = {ending.ProcessID} and wait_event_type = 'Lock')"),
            isWaiting => isWaiting || ended.IsCompleted
        );
        await transaction.CommitAsync();
        await ended;
        Assert.True(await system.QueryAsync<bool>($"select revoked_at is not null from sessions where id = '{opened}'"));
    }

    private async Task<string> NewTokenAsync(Guid user)
    {
        var token = Guid.NewGuid().ToString("N")[..12];
        Assert.True(await system.QueryAsync<bool>($"select internal.import_refresh_token(sha256('{token}'), '{user}', 'family {token}')"));
        return token;
    }

    private Task<long> SessionsAsync(Guid user) =>
        system.QueryAsync<long>($"select count(*) from sessions where user_id in (select '{user}' union select merged_into from users where id = '{user}')");

    private async Task EndAsync(Guid user) =>
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-end-sessions", new { user_id = user, reason = "a lost phone" })).Status);

    private async Task SignInAsync(Phone phone, string subject)
    {
        var (token, _) = await system.PretendApple.SignInAsync(subject);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/merge-guest-user", new { id_token = token })).Status);
    }

    private async Task<Guid> MemberOfAsync(string subject, Phone guest)
    {
        var member = await system.NewGuestAsync();
        await SignInAsync(member, subject);
        await SignInAsync(guest, subject);
        return member.UserId;
    }

    /// <summary>As the app does it: an apikey, no bearer.</summary>
    private async Task<ApiResponse> RefreshAsync(string token)
    {
        using var app = system.Anybody();
        app.DefaultRequestHeaders.Add("apikey", ((AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!).CreateAnonKey());
        return await ApiResponse.ReadAsync(await app.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = token }));
    }
}
