using System.Net;
using System.Net.Http.Headers;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A known device while Apple is away: a new guest without credits, who becomes part of the known one as soon as Apple accepts a token.</summary>
public sealed class TemporaryGuestTests(TemporaryGuestTests.Curious system) : IClassFixture<TemporaryGuestTests.Curious>
{
    public sealed class Curious : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Devices:QuestionsPerWindow"] = "-1" };
    }

    [Theory]
    [InlineData("down")]
    [InlineData("unauthorized")]
    [InlineData("drop")]
    public async Task With_apple_away_a_known_device_gets_a_new_guest_without_credits_who_is_joined_when_apple_accepts_their_token(string kind)
    {
        var known = await system.NewGuestAsync();
        var device = known.DeviceId + "-" + kind;
        await using var outage = await system.OutageAsync("devicecheck", kind);
        var answer = await Phone.CheckAsync(system.Url, known.DeviceId, Phone.TokenOf(device));
        var guest = AssertTemporary(answer, known);
        // The app tries twice more: the same guest.
        for (var count = 0; count < 2; count++)
        {
            Assert.Equal(guest, AssertOpened(await Phone.CheckAsync(system.Url, known.DeviceId, Phone.TokenOf(device))));
        }
        Assert.Equal(10, await known.CreditsAsync());
        await outage.EndAsync();
        // Nobody comes again: the worker asks about the token that was kept.
        await Eventually.IsAsync(() => MergedIntoAsync(guest), into => into == known.UserId);
        // Their session goes on, for Apple has accepted the very token that opened it.
        Assert.Equal(10, (await AsAsync(answer, "/get-user-credits"))["credits_remaining"].GetInt32());
        Assert.Equal(10, await known.CreditsAsync());
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from temporary_guests where user_id = '{guest}'"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task What_a_temporary_guest_has_done_and_bought_becomes_the_known_guests()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var (guest, answer) = await OpenTemporaryAsync(known, "mine");
        var session = answer["access_token"].GetString()!;
        var (_, signed) = await system.PretendApple.BuyAsync(Apple.Pack25, guest);
        using var http = Client(session);
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsJsonAsync("/update-credits", new { signed_transaction = signed })).StatusCode);
        using var press = new HttpRequestMessage(HttpMethod.Post, "/generate-video")
        {
            Content = JsonContent.Create(new { model_id = Catalog.FastModel, prompt = "Of a temporary guest" }),
            Headers = { { "Idempotency-Key", $"{Guid.NewGuid()}" } },
        };
        var job = (await ApiResponse.ReadAsync(await http.SendAsync(press)))["job_id"].GetString();
        await outage.EndAsync();
        await Eventually.IsAsync(() => MergedIntoAsync(guest), into => into == known.UserId);
        Assert.Equal(10 + 25 - 8, await known.CreditsAsync());
        Assert.Equal(HttpStatusCode.OK, (await known.GetAsync($"/get-video-status?job_id={job}")).Status);
        Assert.Equal($"{known.UserId}", await system.QueryAsync<string>($"select user_id::text from purchases where user_id = '{known.UserId}'"));
        Assert.Equal(
            1,
            await system.QueryAsync<long>($"select count(*) from quota_log where user_id in ('{guest}', '{known.UserId}') and reason = 'initial_grant'")
        );
        // An id that was given to a guest keeps working when that guest becomes part of a member.
        var subject = "001234." + Guid.NewGuid().ToString("N");
        await (await system.NewGuestAsync()).PostAsync(
            "/merge-guest-user",
            new { id_token = (await system.PretendApple.SignInAsync(subject, "x@example.com")).Token }
        );
        var merged = await known.PostAsync("/merge-guest-user", new { id_token = (await system.PretendApple.SignInAsync(subject)).Token });
        Assert.Equal(HttpStatusCode.OK, merged.Status);
        var member = merged["user"].GetProperty("id").GetGuid();
        Assert.Equal(member, await MergedIntoAsync(guest));
        Assert.Equal(HttpStatusCode.OK, (await known.GetAsync($"/get-user-credits?user_id={guest}")).Status);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_device_check_with_an_accepted_token_joins_everybody_of_that_id_and_ends_the_sessions_of_those_whose_own_token_nobody_accepted()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var (mine, mineResponse) = await OpenTemporaryAsync(known, "mine");
        var (other, otherResponse) = await OpenTemporaryAsync(known, "other");
        // Nobody asks by itself in this test.
        await system.ExecuteAsync("update temporary_guests set device_token = null");
        // A question that is on its way already would be answered once Apple is back.
        await Eventually.IsAsync(
            () =>
                system.QueryAsync<long>(
                    $"select count(*) from device_questions q join temporary_guests t using (device_hash) where t.user_id in ('{mine}', '{other}') and q.verdict is null"
                ),
            open => open == 0
        );
        await outage.EndAsync();
        var token = Phone.TokenOf(known.DeviceId + "-mine");
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Phone.CheckAsync(system.Url, known.DeviceId, token)));
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.OK, known.UserId), (answer.Status, answer["user_id"].GetGuid())));
        Assert.Equal((known.UserId, known.UserId), (await MergedIntoAsync(mine), await MergedIntoAsync(other)));
        Assert.Equal(HttpStatusCode.OK, (await AsAsync(mineResponse, "/get-user-profile")).Status);
        Assert.Equal("ERR_4005", (await AsAsync(otherResponse, "/get-user-profile")).Code);
        Assert.Equal(10, await known.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task The_worker_and_the_phone_at_once_join_once()
    {
        var known = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => system.NewGuestAsync()));
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var guests = new List<Guid>();
        foreach (var phone in known)
        {
            guests.Add(AssertTemporary(await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId + "-both")), phone));
            await system.ExecuteAsync($"select write_ledger('{guests[^1]}', 7, 'admin_adjustment')");
        }
        await system.ExecuteAsync("update temporary_guests set run_after = now() where device_token is not null");
        await outage.EndAsync();
        await Task.WhenAll(
            known.SelectMany(phone => Enumerable.Range(0, 2).Select(_ => Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId + "-both"))))
        );
        foreach (var (phone, guest) in known.Zip(guests))
        {
            await Eventually.IsAsync(() => MergedIntoAsync(guest), into => into == phone.UserId);
            Assert.Equal(17, await phone.CreditsAsync());
            Assert.Equal(
                ["-7", "7"],
                await system.RowsAsync($"select change from quota_log where reason = 'merge' and user_id in ('{guest}', '{phone.UserId}') order by change")
            );
        }
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_temporary_guest_whose_token_apple_refuses_in_the_end_is_merged_with_nobody()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var answer = await Phone.CheckAsync(system.Url, known.DeviceId, Convert.ToBase64String(Guid.NewGuid().ToByteArray()));
        var guest = AssertTemporary(answer, known);
        await outage.EndAsync();
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from temporary_guests where user_id = '{guest}'"), rows => rows == 0);
        Assert.Equal(known.UserId, (await Phone.OnboardAsync(system.Url, known.DeviceId, known.DeviceId + "-true")).UserId);
        Assert.Null(await MergedIntoAsync(guest));
        Assert.Equal(0, (await AsAsync(answer, "/get-user-credits"))["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task A_token_that_was_refused_for_its_age_alone_leaves_its_guest_to_be_joined_by_another_without_their_session()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var answer = await Phone.CheckAsync(system.Url, known.DeviceId, Convert.ToBase64String(Guid.NewGuid().ToByteArray()));
        var guest = AssertTemporary(answer, known);
        await system.ExecuteAsync($"update temporary_guests set created_at = created_at - interval '2 minutes' where user_id = '{guest}'");
        await outage.EndAsync();
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from temporary_guests where user_id = '{guest}' and device_token is null"),
            rows => rows == 1
        );
        Assert.Equal(known.UserId, (await Phone.OnboardAsync(system.Url, known.DeviceId, known.DeviceId + "-true")).UserId);
        Assert.Equal(known.UserId, await MergedIntoAsync(guest));
        Assert.Equal("ERR_4005", (await AsAsync(answer, "/get-user-credits")).Code);
    }

    [Fact]
    public async Task A_temporary_guest_who_has_signed_in_with_apple_or_left_is_merged_with_nobody()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var (member, memberResponse) = await OpenTemporaryAsync(known, "member");
        var (left, leftResponse) = await OpenTemporaryAsync(known, "left");
        using var http = Client(memberResponse["access_token"].GetString()!);
        var (token, _) = await system.PretendApple.SignInAsync("001234." + Guid.NewGuid().ToString("N"));
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsJsonAsync("/merge-guest-user", new { id_token = token })).StatusCode);
        using var departing = Client(leftResponse["access_token"].GetString()!);
        Assert.Equal(HttpStatusCode.OK, (await departing.PostAsJsonAsync("/delete-account", new { })).StatusCode);
        await outage.EndAsync();
        Assert.Equal(known.UserId, (await Phone.OnboardAsync(system.Url, known.DeviceId, known.DeviceId + "-later")).UserId);
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from temporary_guests where user_id in ('{member}', '{left}')"),
            rows => rows == 0
        );
        Assert.Null(await MergedIntoAsync(member));
        Assert.Null(await MergedIntoAsync(left));
        Assert.False((await AsAsync(memberResponse, "/get-user-profile"))["is_guest"].GetBoolean());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task When_the_known_guest_has_become_a_member_the_id_is_the_temporary_guests_without_credits()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var (guest, answer) = await OpenTemporaryAsync(known, "mine");
        var (token, _) = await system.PretendApple.SignInAsync("001234." + Guid.NewGuid().ToString("N"));
        Assert.Equal(HttpStatusCode.OK, (await known.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        await outage.EndAsync();
        await Eventually.IsAsync(() => system.QueryAsync<bool>($"select device_id is not null from users where id = '{guest}'"), isTheirs => isTheirs);
        Assert.Null(await MergedIntoAsync(guest));
        Assert.Equal(0, (await AsAsync(answer, "/get-user-credits"))["credits_remaining"].GetInt32());
        Assert.Equal(guest, (await Phone.OnboardAsync(system.Url, known.DeviceId, known.DeviceId + "-later")).UserId);
        Assert.Equal(10, await known.CreditsAsync());
    }

    [Fact]
    public async Task A_banned_known_guests_ban_follows_the_join()
    {
        var known = await system.NewGuestAsync();
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var (guest, answer) = await OpenTemporaryAsync(known, "mine");
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{known.UserId}'");
        await outage.EndAsync();
        await Eventually.IsAsync(() => MergedIntoAsync(guest), into => into == known.UserId);
        Assert.Equal("ERR_4006", (await AsAsync(answer, "/get-user-credits")).Code);
    }

    [Fact]
    public async Task A_guest_who_is_being_opened_is_not_pushed_out_by_others()
    {
        var known = await system.NewGuestAsync();
        var guests = new List<Guid>();
        for (var count = 0; count < 22; count++)
        {
            guests.Add(await OpenAsync($"{count}"));
        }
        // None has a session yet: each of them is in the middle of a call.
        Assert.Equal(22, await system.QueryAsync<long>($"select count(*) from users where id in ('{string.Join("','", guests)}')"));
        await system.ExecuteAsync(
            $"update temporary_guests set created_at = created_at - interval '2 minutes' where device_hash = internal.device_id_hash('{known.DeviceId}')"
        );
        await OpenAsync("last");
        Assert.Equal(
            20,
            await system.QueryAsync<long>($"select count(*) from temporary_guests where device_hash = internal.device_id_hash('{known.DeviceId}')")
        );

        Task<Guid> OpenAsync(string token) =>
            system.QueryAsync<Guid>(
                $$"""select user_id from open_device('{{known.DeviceId}}', '{{token}}', '127.0.0.1', 'unverified', false, null, 3600, '{"throttle_score":101,"block_score":101,"throttle_seconds":60}', null)"""
            );
    }

    /// <summary>While Apple is away.</summary>
    private async Task<(Guid Guest, ApiResponse Response)> OpenTemporaryAsync(Phone known, string name)
    {
        var answer = await Phone.CheckAsync(system.Url, known.DeviceId, Phone.TokenOf($"{known.DeviceId}-{name}"));
        return (AssertTemporary(answer, known), answer);
    }

    private static Guid AssertTemporary(ApiResponse answer, Phone known)
    {
        var guest = AssertOpened(answer);
        Assert.NotEqual(known.UserId, guest);
        Assert.Equal((0, true, false), (answer["credits_remaining"].GetInt32(), answer["is_new"].GetBoolean(), answer["is_valid_device"].GetBoolean()));
        return guest;
    }

    private static Guid AssertOpened(ApiResponse answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, $"{(int)answer.Status} {answer.Text}");
        return answer["user_id"].GetGuid();
    }

    private Task<Guid?> MergedIntoAsync(Guid guest) => system.QueryAsync<Guid?>($"select merged_into from users where id = '{guest}'");

    private HttpClient Client(string accessToken) =>
        new() { BaseAddress = new Uri(system.Url), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", accessToken) } };

    private async Task<ApiResponse> AsAsync(ApiResponse opened, string path)
    {
        using var http = Client(opened["access_token"].GetString()!);
        return await ApiResponse.ReadAsync(await http.GetAsync(path));
    }
}
