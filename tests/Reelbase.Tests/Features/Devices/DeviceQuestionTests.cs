using System.Net;
using System.Text.Json;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Nobody is handed a known device's account before Apple has accepted the token: how often it is asked, and what its answers do.</summary>
public sealed class DeviceQuestionTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    private const string BadToken = "AAAA";

    [Theory]
    [InlineData("AAAA")]
    [InlineData("bm90IGEgZGV2aWNl")]
    public async Task A_token_that_apple_refuses_opens_no_known_device(string token)
    {
        var phone = await system.NewGuestAsync();
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, token));
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId.ToUpperInvariant(), token));
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{phone.UserId}'"));
        // The true phone comes with a token of its own, at once.
        Assert.Equal(phone.UserId, (await Phone.OnboardAsync(system.Url, phone.DeviceId, phone.DeviceId + "-later")).UserId);
    }

    [Fact]
    public async Task After_a_global_logout_a_refused_token_opens_nothing_and_an_accepted_one_the_same_guest()
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.NoContent, (await phone.PostAsync("/auth/v1/logout?scope=global", new { })).Status);
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, BadToken));
        Assert.Equal("ERR_4005", (await phone.GetAsync("/get-user-profile")).Code);
        Assert.Equal(phone.UserId, (await Phone.OnboardAsync(system.Url, phone.DeviceId, phone.DeviceId + "-after")).UserId);
    }

    [Fact]
    public async Task After_support_has_ended_the_sessions_a_refused_token_opens_nothing()
    {
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-end-sessions", new { user_id = phone.UserId, reason = "a lost phone" })).Status);
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, BadToken));
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{phone.UserId}' and revoked_at is null"));
    }

    [Fact]
    public async Task A_members_device_is_not_taken_from_them_by_a_refused_token()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set is_guest = false, apple_sub = 'apple-{phone.UserId}' where id = '{phone.UserId}'");
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, BadToken));
        Assert.True(await system.QueryAsync<bool>($"select device_id is not null from users where id = '{phone.UserId}'"));
        Assert.NotEqual(phone.UserId, (await Phone.OnboardAsync(system.Url, phone.DeviceId, phone.DeviceId + "-later")).UserId);
    }

    [Fact]
    public async Task Three_repeats_one_after_another_and_three_at_once_cost_one_question_each()
    {
        var phone = await system.NewGuestAsync();
        foreach (var isParallel in new[] { false, true })
        {
            var device = $"{phone.DeviceId}-{isParallel}";
            var token = Phone.TokenOf(device);
            var answers = new List<ApiResponse>();
            if (isParallel)
            {
                answers.AddRange(await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Phone.CheckAsync(system.Url, phone.DeviceId, token))));
            }
            else
            {
                for (var count = 0; count < 3; count++)
                {
                    answers.Add(await Phone.CheckAsync(system.Url, phone.DeviceId, token));
                }
            }
            Assert.All(answers, answer => Assert.Equal((HttpStatusCode.OK, phone.UserId), (answer.Status, answer["user_id"].GetGuid())));
            Assert.Equal(1, await QuestionsAsync(device));
        }
    }

    [Fact]
    public async Task A_new_phone_that_repeats_its_token_costs_the_one_question_of_its_grant()
    {
        var device = Guid.NewGuid().ToString();
        for (var count = 0; count < 2; count++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Phone.CheckAsync(system.Url, device, Phone.TokenOf(device))));
            Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
            Assert.Single(answers.Select(answer => answer["user_id"].GetGuid()).Distinct());
            Assert.All(answers, answer => Assert.Equal(10, answer["credits_remaining"].GetInt32()));
        }
        Assert.Equal(1, await QuestionsAsync(device));
    }

    [Fact]
    public async Task Two_nodes_ask_one_question()
    {
        var phone = await system.NewGuestAsync();
        await using var second = system.BuildServer();
        await second.StartAsync();
        var url = TestSystem.AddressOf(second);
        var device = phone.DeviceId + "-two";
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(number => Phone.CheckAsync(number % 2 == 0 ? system.Url : url, phone.DeviceId, Phone.TokenOf(device)))
        );
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.OK, phone.UserId), (answer.Status, answer["user_id"].GetGuid())));
        Assert.Equal(1, await QuestionsAsync(device));
        await second.StopAsync();
    }

    [Fact]
    public async Task A_verdict_is_kept_by_the_tokens_hash_for_ten_minutes()
    {
        var (phone, other) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        var token = Phone.TokenOf(phone.DeviceId + "-kept");
        Assert.Equal(HttpStatusCode.OK, (await Phone.CheckAsync(system.Url, phone.DeviceId, token)).Status);
        var before = await BadTokensAsync();
        var bad = Convert.ToBase64String(Guid.NewGuid().ToByteArray());
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, bad));
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, bad));
        AssertRefused(await Phone.CheckAsync(system.Url, other.DeviceId, bad));
        Assert.Equal(before + 1, await BadTokensAsync());
        await system.ExecuteAsync("update device_questions set asked_at = asked_at - interval '601 seconds', decided_at = decided_at - interval '601 seconds'");
        AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, bad));
        Assert.Equal(HttpStatusCode.OK, (await Phone.CheckAsync(system.Url, phone.DeviceId, token)).Status);
        Assert.Equal(before + 2, await BadTokensAsync());
        Assert.Equal(2, await QuestionsAsync(phone.DeviceId + "-kept"));
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from device_questions q where position('{token}' in q::text) > 0"));
    }

    [Fact]
    public async Task The_eleventh_question_of_an_hour_for_an_id_and_address_is_not_asked_and_gives_a_new_guest_without_credits()
    {
        var (phone, other) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        for (var count = 0; count < 10; count++)
        {
            AssertRefused(await Phone.CheckAsync(system.Url, phone.DeviceId, Convert.ToBase64String(Guid.NewGuid().ToByteArray())));
        }
        var device = phone.DeviceId + "-eleventh";
        var eleventh = await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(device));
        AssertTemporary(eleventh, phone);
        Assert.Equal(0, await QuestionsAsync(device));
        // The same once more is the same guest, and nobody asks about a question that was not counted.
        Assert.Equal(eleventh["user_id"].GetGuid(), (await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(device)))["user_id"].GetGuid());
        Assert.Equal(
            1,
            await system.QueryAsync<long>($"select count(*) from temporary_guests where user_id = '{eleventh["user_id"]}' and device_token is null")
        );
        // Another id is asked about; and after the hour the same token opens the device's guest, of whom the other one is a part then.
        Assert.Equal(HttpStatusCode.OK, (await Phone.CheckAsync(system.Url, other.DeviceId, Phone.TokenOf(other.DeviceId + "-x"))).Status);
        await system.ExecuteAsync(
            "update device_questions set asked_at = asked_at - interval '3601 seconds', decided_at = decided_at - interval '3601 seconds'"
        );
        var after = await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(device));
        Assert.Equal(phone.UserId, after["user_id"].GetGuid());
        Assert.Equal($"{phone.UserId}", await system.QueryAsync<string>($"select merged_into::text from users where id = '{eleventh["user_id"]}'"));
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("2001:db8:9:1::1", "2001:db8:9:1:ffff::2", "2001:db8:9:2::1")]
    [InlineData("::ffff:203.0.113.8", "203.0.113.8", "203.0.113.9")]
    public async Task Questions_are_counted_by_address_and_an_ipv6_subscriber_is_one(string address, string same, string other)
    {
        var phone = await system.NewGuestAsync();
        async Task<ApiResponse> FromAsync(string from, string token)
        {
            using var http = system.Anybody();
            http.DefaultRequestHeaders.Add("X-Forwarded-For", from);
            return await ApiResponse.ReadAsync(await http.PostAsJsonAsync("/device-check", new { device_id = phone.DeviceId, device_token = token }));
        }
        for (var count = 0; count < 10; count++)
        {
            AssertRefused(await FromAsync(count % 2 == 0 ? address : same, Convert.ToBase64String(Guid.NewGuid().ToByteArray())));
        }
        AssertTemporary(await FromAsync(same, Phone.TokenOf(phone.DeviceId + same)), phone);
        Assert.Equal(phone.UserId, (await FromAsync(other, Phone.TokenOf(phone.DeviceId + other)))["user_id"].GetGuid());
    }

    [Fact]
    public async Task Twenty_temporary_guests_are_remembered_for_an_id_and_those_who_are_not_asked_about_go_first()
    {
        var phone = await system.NewGuestAsync();
        var guests = new List<Guid>();
        for (var count = 0; count < 25; count++)
        {
            // The first one has done something, and the third one's token is asked about.
            guests.Add(
                await system.QueryAsync<Guid>($"select internal.open_temporary_guest(internal.device_id_hash('{phone.DeviceId}'), 'token {count}', false)")
            );
            await system.ExecuteAsync(
                $"""
                update temporary_guests set device_token = 'a token', run_after = now() + interval '1 hour' where user_id = '{guests[^1]}' and {count == 2};
                insert into sessions (user_id) values ('{guests[^1]}');
                """
            );
            if (count == 0)
            {
                await system.ExecuteAsync($"select write_ledger('{guests[0]}', 5, 'admin_adjustment')");
            }
        }
        Assert.Equal(
            guests[6..].Prepend(guests[2]).Order(),
            (await system.RowsAsync($"select user_id from temporary_guests where device_hash = internal.device_id_hash('{phone.DeviceId}')"))
                .Select(Guid.Parse)
                .Order()
        );
        var list = string.Join(',', guests.Select(guest => $"'{guest}'"));
        Assert.Equal(
            guests[6..].Prepend(guests[2]).Prepend(guests[0]).Order(),
            (await system.RowsAsync($"select id from users where id in ({list})")).Select(Guid.Parse).Order()
        );
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_question_whose_node_has_died_is_asked_again_after_its_lease_and_records_nothing_any_more()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            $"""
            insert into device_questions (id, device_hash, token_hash, leased_by, lease_until)
            values ('{phone.UserId}', internal.device_id_hash('{phone.DeviceId}'), 'x', 'dead', now() - interval '1 second')
            """
        );
        Assert.Equal(phone.UserId, (await Phone.OnboardAsync(system.Url, phone.DeviceId, phone.DeviceId + "-after")).UserId);
        Assert.False(await system.QueryAsync<bool>($"select record_device_verdict('{phone.UserId}', 'dead', 'accepted')"));
        Assert.Equal("unknown", await system.QueryAsync<string>($"select verdict from device_questions where id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task A_question_that_the_worker_begins_at_the_same_moment_is_waited_for()
    {
        var phone = await system.NewGuestAsync();
        // As claim_temporary_guest does it, without a lock of the device; its lease is over, so that the next poll ends the question.
        await using var worker = new NpgsqlConnection(system.Owner);
        await worker.OpenAsync();
        await using var claim = await worker.BeginTransactionAsync();
        await using var begin = new NpgsqlCommand(
            $"insert into device_questions (device_hash, token_hash, leased_by, lease_until) values (internal.device_id_hash('{phone.DeviceId}'), 'x', 'a worker', now() - interval '1 second')",
            worker
        );
        await begin.ExecuteNonQueryAsync();
        var check = Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId + "-meanwhile"));
        // It has not seen the worker's question, and meets it where it begins its own.
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from pg_stat_activity where {worker.ProcessID} = any (pg_blocking_pids(pid))"),
            waiting => waiting == 1
        );
        await claim.CommitAsync();
        var answer = await check;
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    [Fact]
    public async Task An_answer_that_is_recorded_while_another_call_looks_for_it_is_not_asked_for_again()
    {
        var phone = await system.NewGuestAsync();
        string Begin(string worker) =>
            $"select concat_ws('|', outcome, question_id) from begin_device_question('{phone.DeviceId}', 'a token of {phone.UserId}', '192.0.2.1', 10, 3600, 600, '{worker}', 600)";
        var asked = (await system.QueryAsync<string>(Begin("first"))).Split('|');
        Assert.Equal("ask", asked[0]);
        // Stops the second call between its polls.
        await using var holder = new NpgsqlConnection(system.Owner);
        await holder.OpenAsync();
        await using var hold = await holder.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("lock table device_grants in access exclusive mode", holder);
        await command.ExecuteNonQueryAsync();
        var second = system.QueryAsync<string>(Begin("second"));
        await Eventually.IsAsync(
            () =>
                system.QueryAsync<bool>(
                    $"select exists (select from pg_stat_activity where {holder.ProcessID} = any (pg_blocking_pids(pid)) and query like '%begin_device_question%{phone.UserId}%')"
                ),
            isWaiting => isWaiting
        );
        Assert.True(await system.QueryAsync<bool>($"select record_device_verdict('{asked[1]}', 'first', 'accepted')"));
        await hold.CommitAsync();
        Assert.Equal("accepted", await second);
    }

    [Theory]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")]
    [InlineData("{7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a12}")]
    [InlineData("7d3c0c9e6a534f0e9a8e2f1f0b7c1a12")]
    [InlineData(" 7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a12")]
    [InlineData("7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a12\n")]
    [InlineData("0x3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a12")]
    [InlineData("７d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a12")]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("'; drop table users; --")]
    [InlineData("%")]
    public async Task An_id_that_is_no_secret_opens_nobody(string id)
    {
        var first = await Phone.OnboardAsync(system.Url, id, $"{Guid.NewGuid()}");
        var second = await Phone.OnboardAsync(system.Url, id, $"{Guid.NewGuid()}");
        Assert.NotEqual(first.UserId, second.UserId);
    }

    private static void AssertRefused(ApiResponse answer)
    {
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4010"), (answer.Status, answer.Code));
        Assert.DoesNotContain("access_token", answer.Text, StringComparison.Ordinal);
    }

    private static void AssertTemporary(ApiResponse answer, Phone known)
    {
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.NotEqual(known.UserId, answer["user_id"].GetGuid());
        Assert.Equal((0, true, false), (answer["credits_remaining"].GetInt32(), answer["is_new"].GetBoolean(), answer["is_valid_device"].GetBoolean()));
    }

    private async Task<int> QuestionsAsync(string device)
    {
        using var document = JsonDocument.Parse(await system.Control.GetStringAsync("/_control/devicecheck/devices"));
        return document.RootElement.GetProperty("queries").TryGetProperty(device, out var count) ? count.GetInt32() : 0;
    }

    private async Task<int> BadTokensAsync()
    {
        using var document = JsonDocument.Parse(await system.Control.GetStringAsync("/_control/devicecheck/devices"));
        return document.RootElement.GetProperty("bad_tokens").GetInt32();
    }
}
