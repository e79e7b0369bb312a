using System.Net;
using System.Net.Http.Headers;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Sessions that end although nobody signed out: at a sign-in with Apple, when two hold one token, when there are too many; and identity tokens that are good for once.</summary>
public sealed class SessionEndTests(TestSystem system) : IClassFixture<TestSystem>
{
    private const int LateGenerations = 5;

    private Apple Apple => new(system.Control);

    private static string Subject() => "001234." + Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Linking_an_apple_account_ends_the_guests_other_sessions_and_rotates_the_callers()
    {
        var owner = await system.NewGuestAsync();
        var stolen = await Phone.OnboardAsync(system.Url, owner.DeviceId);
        Assert.Equal(owner.UserId, stolen.UserId);
        var answer = await owner.PostAsync("/merge-guest-user", new { id_token = (await Apple.SignInAsync(Subject(), "owner@example.com")).Token });
        Assert.Equal(HttpStatusCode.OK, answer.Status);

        Assert.Equal("ERR_4005", (await stolen.GetAsync("/get-user-profile")).Code);
        Assert.Equal("ERR_4005", (await stolen.PostAsync("/delete-account", new { })).Code);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(stolen.RefreshToken)).Status);
        // The caller goes on with what they have, and has new tokens that say who they are now.
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/get-user-profile")).Status);
        var session = answer["session"];
        Assert.False(session.GetProperty("user").GetProperty("is_anonymous").GetBoolean());
        Assert.NotEqual(owner.RefreshToken, session.GetProperty("refresh_token").GetString());
        Assert.Equal(HttpStatusCode.OK, (await AsAsync(session.GetProperty("access_token").GetString()!, "/get-user-profile")).Status);
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(session.GetProperty("refresh_token").GetString()!)).Status);
    }

    [Fact]
    public async Task Merging_ends_the_guests_other_sessions_and_leaves_the_members_own()
    {
        var subject = Subject();
        // Another e-mail, so that two tokens of one second are not one.
        var first = await TokenAsync((await Apple.SignInAsync(subject, "first@example.com")).Token);
        var owner = await system.NewGuestAsync();
        var stolen = await Phone.OnboardAsync(system.Url, owner.DeviceId);
        var answer = await owner.PostAsync("/merge-guest-user", new { id_token = (await Apple.SignInAsync(subject)).Token });
        Assert.Equal(first["user"].GetProperty("id").GetGuid(), answer["user"].GetProperty("id").GetGuid());

        Assert.Equal("ERR_4005", (await stolen.GetAsync("/get-user-profile")).Code);
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/get-user-profile")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AsAsync(first["access_token"].GetString()!, "/get-user-profile")).Status);
        Assert.Equal(answer["user"].GetProperty("id").GetString(), answer["session"].GetProperty("user").GetProperty("id").GetString());
    }

    [Fact]
    public async Task An_identity_token_signs_in_once_and_the_same_bearer_may_repeat_it_for_a_minute()
    {
        var (token, _) = await Apple.SignInAsync(Subject());
        var guest = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await guest.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        // The answer was lost: the same again. Somebody who overheard it: not.
        Assert.Equal(HttpStatusCode.OK, (await guest.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await TokenAsync(token)).Status);
        var thief = await system.NewGuestAsync();
        var refused = await thief.PostAsync("/merge-guest-user", new { id_token = token });
        Assert.Equal("ERR_4005", refused.Code);
        Assert.Equal("used", refused["error"].GetProperty("details").GetProperty("fault").GetString());
        Assert.True((await thief.GetAsync("/get-user-profile"))["is_guest"].GetBoolean());
        // A minute later it is nobody's any more.
        await system.ExecuteAsync($"update used_identity_tokens set used_at = used_at - interval '61 seconds' where user_id = '{guest.UserId}'");
        Assert.Equal("ERR_4005", (await guest.PostAsync("/merge-guest-user", new { id_token = token })).Code);
    }

    [Fact]
    public async Task An_identity_token_without_a_bearer_opens_one_session_however_often_it_comes()
    {
        var (token, _) = await Apple.SignInAsync(Subject());
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => TokenAsync(token)));
        var opened = Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer != opened), answer => Assert.Equal(HttpStatusCode.BadRequest, answer.Status));
        Assert.Equal(HttpStatusCode.BadRequest, (await TokenAsync(token)).Status);
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{opened["user"].GetProperty("id")}'"));
    }

    [Fact]
    public async Task A_refusal_uses_no_identity_token_up()
    {
        var subject = Subject();
        var member = await TokenAsync((await Apple.SignInAsync(subject, "first@example.com")).Token);
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{member["user"].GetProperty("id")}'");
        var (token, _) = await Apple.SignInAsync(subject);
        Assert.Equal(HttpStatusCode.Forbidden, (await TokenAsync(token)).Status);
        await system.ExecuteAsync($"update users set banned_at = null where id = '{member["user"].GetProperty("id")}'");
        Assert.Equal(HttpStatusCode.OK, (await TokenAsync(token)).Status);
    }

    [Fact]
    public async Task Two_who_hold_one_session_cannot_keep_each_other_alive()
    {
        var phone = await system.NewGuestAsync();
        var (victim, thief) = (phone.RefreshToken, phone.RefreshToken);
        var outcomes = new List<HttpStatusCode>();
        for (var generation = 0; generation < LateGenerations + 1; generation++)
        {
            // One refreshes; an hour later the other comes with what is the predecessor by now.
            victim = await NextAsync(victim, outcomes) ?? victim;
            await AgeAsync(phone);
            thief = await NextAsync(thief, outcomes) ?? thief;
            await AgeAsync(phone);
        }
        Assert.Contains(HttpStatusCode.BadRequest, outcomes);
        Assert.Equal("ERR_4005", (await phone.GetAsync("/get-user-profile")).Code);
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from alerts where kind = 'refresh_token_shared' and message like '%{phone.UserId}%'"));
    }

    [Fact]
    public async Task A_phone_that_loses_an_answer_now_and_then_stays_signed_in_for_ever()
    {
        var phone = await system.NewGuestAsync();
        var token = phone.RefreshToken;
        for (var week = 0; week < 3 * LateGenerations; week++)
        {
            var lost = await RefreshAsync(token);
            Assert.Equal(HttpStatusCode.OK, lost.Status);
            await AgeAsync(phone);
            // Four times running the answer was lost, and the fifth time it arrived.
            var again = week % LateGenerations == LateGenerations - 1 ? lost : await RefreshAsync(token);
            Assert.Equal(HttpStatusCode.OK, again.Status);
            token = again["refresh_token"].GetString()!;
        }
        Assert.Equal(HttpStatusCode.OK, (await phone.GetAsync("/get-user-profile")).Status);
    }

    [Fact]
    public async Task A_predecessor_that_comes_a_week_late_still_gets_the_current_token()
    {
        var phone = await system.NewGuestAsync();
        var lost = await RefreshAsync(phone.RefreshToken);
        await system.ExecuteAsync($"update sessions set refreshed_at = now() - interval '7 days' where user_id = '{phone.UserId}'");
        Assert.Equal(lost["refresh_token"].GetString(), (await RefreshAsync(phone.RefreshToken))["refresh_token"].GetString());
    }

    [Fact]
    public async Task A_user_has_a_bounded_number_of_sessions_and_the_longest_idle_one_ends()
    {
        await using var node = system.BuildServer(new() { ["Security:MaxSessionsPerUser"] = "3" });
        await node.StartAsync();
        var url = TestSystem.AddressOf(node);
        var first = await Phone.OnboardAsync(url);
        var phones = new List<Phone> { first };
        for (var number = 0; number < 4; number++)
        {
            phones.Add(await Phone.OnboardAsync(url, first.DeviceId));
        }
        var alive = new List<bool>();
        foreach (var phone in phones)
        {
            alive.Add((await phone.GetAsync("/get-user-profile")).Status == HttpStatusCode.OK);
        }
        Assert.Equal([false, false, true, true, true], alive);
        // Many at once do not go over it together.
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Phone.OnboardAsync(url, first.DeviceId)));
        Assert.Equal(3, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{first.UserId}' and revoked_at is null"));
        await node.StopAsync();
    }

    private Task AgeAsync(Phone phone) => system.ExecuteAsync($"update sessions set refreshed_at = now() - interval '1 hour' where user_id = '{phone.UserId}'");

    private async Task<string?> NextAsync(string token, List<HttpStatusCode> outcomes)
    {
        var answer = await RefreshAsync(token);
        outcomes.Add(answer.Status);
        return answer.Status == HttpStatusCode.OK ? answer["refresh_token"].GetString() : null;
    }

    private Task<ApiResponse> RefreshAsync(string token) => SendAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = token });

    private Task<ApiResponse> TokenAsync(string token) => SendAsync("/auth/v1/token?grant_type=id_token", new { provider = "apple", id_token = token });

    private async Task<ApiResponse> SendAsync(string path, object body)
    {
        using var http = system.Anybody();
        return await ApiResponse.ReadAsync(await http.PostAsJsonAsync(path, body));
    }

    private async Task<ApiResponse> AsAsync(string token, string path)
    {
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await ApiResponse.ReadAsync(await http.GetAsync(path));
    }
}
