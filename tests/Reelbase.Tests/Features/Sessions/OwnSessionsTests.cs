using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Users, and admins in the console, see where they are signed in and end what they do not know.</summary>
public sealed class OwnSessionsTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task A_user_sees_their_sessions_and_ends_one_which_is_refused_from_the_next_call_on()
    {
        var here = await system.NewGuestAsync();
        var lost = await Phone.OnboardAsync(system.Url, here.DeviceId);
        Assert.Equal(here.UserId, lost.UserId);
        var listed = (await here.GetAsync("/get-sessions"))["sessions"].EnumerateArray().ToList();
        Assert.Equal([true, false], listed.ConvertAll(session => session.GetProperty("is_current").GetBoolean()));
        Assert.All(listed, session => Assert.Equal("device", session.GetProperty("signed_in_with").GetString()));
        Assert.All(listed, session => Assert.False(session.TryGetProperty("token_hash", out _)));
        var id = listed[1].GetProperty("session_id").GetString();

        // Twice, as when the first answer was lost.
        for (var at = 0; at < 2; at++)
        {
            Assert.Equal(HttpStatusCode.OK, (await here.PostAsync("/end-session", new { session_id = id })).Status);
        }
        Assert.Equal("ERR_4005", (await lost.GetAsync("/get-user-profile")).Code);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(lost.RefreshToken)).Status);
        Assert.Single((await here.GetAsync("/get-sessions"))["sessions"].EnumerateArray());
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/get-user-profile")).Status);

        var own = (await here.GetAsync("/get-sessions"))["sessions"][0].GetProperty("session_id").GetString();
        Assert.Equal(HttpStatusCode.OK, (await here.PostAsync("/end-session", new { session_id = own })).Status);
        Assert.Equal("ERR_4005", (await here.GetAsync("/get-sessions")).Code);
    }

    [Fact]
    public async Task A_session_of_somebody_else_cannot_be_distinguished_from_one_that_never_was()
    {
        var (ada, ben) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        var his = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{ben.UserId}'");
        var admins = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{system.AdminId}' and method = 'admin' limit 1");
        foreach (var id in new object[] { his, admins, Guid.NewGuid(), "of nobody" })
        {
            var answer = await ada.PostAsync("/end-session", new { session_id = id });
            Assert.Equal((HttpStatusCode.NotFound, "ERR_4007"), (answer.Status, answer.Code));
        }
        Assert.Equal("ERR_4000", (await ada.PostAsync("/end-session", new { })).Code);
        Assert.Equal(HttpStatusCode.OK, (await ben.GetAsync("/get-user-profile")).Status);
        Assert.DoesNotContain(his.ToString(), (await ada.GetAsync("/get-sessions")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_members_sessions_are_listed_together_with_those_from_before_they_signed_in_and_an_admins_are_not()
    {
        var phone = await system.NewGuestAsync();
        var (token, _) = await system.PretendApple.SignInAsync("001234." + Guid.NewGuid().ToString("N"), "sessions@example.com");
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        // As if the command line had made the same person an admin.
        await system.ExecuteAsync($"insert into sessions (user_id, method) values ('{phone.UserId}', 'admin')");
        var listed = (await phone.GetAsync("/get-sessions"))["sessions"];
        Assert.Equal("apple", Assert.Single(listed.EnumerateArray()).GetProperty("signed_in_with").GetString());
        var consoles = await system.QueryAsync<Guid>($"select id from sessions where user_id = '{phone.UserId}' and method = 'admin'");
        Assert.Equal("ERR_4007", (await phone.PostAsync("/end-session", new { session_id = consoles })).Code);
    }

    [Fact]
    public async Task An_admin_ends_their_own_sessions_only_and_another_than_this_one_only_soon_after_signing_in()
    {
        using var here = await system.TokenAsync("sessions@support.example");
        using var there = await AnotherTokenAsync("sessions@support.example");
        var me = await system.IdAsync("sessions@support.example");
        var rows = (await ApiResponse.ReadAsync(await here.GetAsync("/admin-list-sessions")))["rows"].EnumerateArray().ToList();
        Assert.Equal(2, rows.Count);
        var other = rows.Single(row => !row.GetProperty("is_current").GetBoolean()).GetProperty("session_id").GetString();
        Assert.Equal("ERR_4007", (await AdminSystem.PostAsync(system.Admin, "/admin-end-session", new { session_id = other, reason = "not mine" })).Code);

        await system.ExecuteAsync($"update sessions set created_at = now() - interval '11 minutes' where user_id = '{me}' and id <> '{other}'");
        var late = await AdminSystem.PostAsync(here, "/admin-end-session", new { session_id = other, reason = "I do not know it" });
        Assert.Equal(("ERR_4006", "sign_in_again"), (late.Code, AdminApprovalTests.ReasonOf(late)));
        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/admin-list-sessions")).StatusCode);

        await system.ExecuteAsync($"update sessions set created_at = now() where user_id = '{me}'");
        Assert.Equal(
            HttpStatusCode.OK,
            (await AdminSystem.PostAsync(here, "/admin-end-session", new { session_id = other, reason = "I do not know it" })).Status
        );
        Assert.Equal(HttpStatusCode.Unauthorized, (await there.GetAsync("/admin-list-sessions")).StatusCode);
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from admin_actions where admin_user_id = '{me}' and action_type = 'session_end'"));
    }

    [Fact]
    public async Task A_refresh_token_ends_with_the_age_of_its_session_where_an_operator_says_so()
    {
        var options = system.Server.Services.GetRequiredService<IOptions<SecurityOptions>>().Value;
        var (old, young) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        await system.ExecuteAsync(
            $"update sessions set created_at = now() - interval '31 days', refreshed_at = now() - interval '1 minute' where user_id = '{old.UserId}'"
        );
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(old.RefreshToken)).Status);
        options.MaxSessionDays = 30;
        try
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(old.RefreshToken)).Status);
            Assert.Equal("ERR_4005", (await old.GetAsync("/get-user-profile")).Code);
            Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(young.RefreshToken)).Status);
            // The phone finds its guest again, with all that is theirs.
            Assert.Equal(old.UserId, (await Phone.OnboardAsync(system.Url, old.DeviceId)).UserId);
        }
        finally
        {
            options.MaxSessionDays = 0;
        }
    }

    private async Task<ApiResponse> RefreshAsync(string token)
    {
        using var nobody = system.Anybody();
        return await ApiResponse.ReadAsync(await nobody.PostAsJsonAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = token }));
    }

    private async Task<HttpClient> AnotherTokenAsync(string email)
    {
        var (code, output) = await system.RunAsync("token", "--email", email);
        Assert.True(code == 0, output);
        return new() { BaseAddress = new Uri(system.Url), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", output.Trim()) } };
    }
}
