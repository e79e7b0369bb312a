using System.Net;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A phone becomes a guest; ten credits once for each physical device.</summary>
public sealed class DeviceCheckTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task A_new_phone_gets_a_guest_ten_credits_and_a_session()
    {
        var phone = await system.NewGuestAsync();
        var answer = phone.Onboarding;
        Assert.True(answer["success"].GetBoolean());
        Assert.Equal(10, answer["credits_remaining"].GetInt32());
        Assert.True(answer["is_new"].GetBoolean());
        Assert.True(answer["is_valid_device"].GetBoolean());
        Assert.Equal("bearer", answer["token_type"].GetString());
        Assert.Equal(3600, answer["expires_in"].GetInt32());
        Assert.Equal(answer["access_token"].GetString(), answer["session"].GetProperty("access_token").GetString());
        Assert.True(answer["session"].GetProperty("user").GetProperty("is_anonymous").GetBoolean());
        Assert.Equal(["initial_grant|10|10"], await system.RowsAsync($"select reason, change, balance_after from quota_log where user_id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task A_node_without_a_key_asks_nobody_and_leaves_the_grant_to_the_worker()
    {
        await using var node = system.BuildServer(
            new()
            {
                ["DeviceCheck:TeamId"] = "",
                ["DeviceCheck:KeyId"] = "",
                ["DeviceCheck:PrivateKey"] = "",
                ["Server:Roles:0"] = "api",
                ["Server:Roles:1"] = "api",
            }
        );
        await node.StartAsync();
        var phone = await Phone.OnboardAsync(TestSystem.AddressOf(node), Guid.NewGuid().ToString());
        Assert.False(phone.Onboarding["is_valid_device"].GetBoolean());
        // The other node has a worker and a key.
        await system.AssertEventuallyNoOpenGrantAsync();
        Assert.Equal(
            ["granted"],
            await system.RowsAsync(
                $"select stage from device_grants where user_id = '{phone.UserId}' and last_error is distinct from 'DeviceCheck is not configured'"
            )
        );
        await node.StopAsync();
    }

    [Fact]
    public async Task The_bit_is_set_at_apple()
    {
        var phone = await system.NewGuestAsync();
        var devices = await system.Control.GetStringAsync("/_control/devicecheck/devices");
        Assert.Contains($$"""{"name":"{{phone.DeviceId}}","bit0":true,"bit1":false}""", devices, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_known_device_gets_the_same_user_and_a_fresh_session_and_no_second_grant()
    {
        var first = await system.NewGuestAsync();
        var second = await Phone.OnboardAsync(system.Url, first.DeviceId);
        Assert.Equal(first.UserId, second.UserId);
        Assert.False(second.Onboarding["is_new"].GetBoolean());
        Assert.Equal(10, await second.CreditsAsync());
        Assert.NotEqual(first.RefreshToken, second.RefreshToken);
    }

    [Fact]
    public async Task A_device_id_in_capitals_is_the_same_device()
    {
        var first = await system.NewGuestAsync();
        Assert.Equal(first.UserId, (await Phone.OnboardAsync(system.Url, first.DeviceId.ToUpperInvariant(), first.DeviceId)).UserId);
    }

    [Fact]
    public async Task A_device_whose_bit_is_set_but_whose_user_is_gone_starts_with_nothing()
    {
        var device = Guid.NewGuid().ToString();
        await system.Control.PostAsJsonAsync(
            "/_control/devicecheck/devices",
            new
            {
                name = device,
                bit0 = true,
                bit1 = false,
            }
        );
        var phone = await Phone.OnboardAsync(system.Url, Guid.NewGuid().ToString(), device);
        Assert.Equal(0, phone.Onboarding["credits_remaining"].GetInt32());
        Assert.True(phone.Onboarding["is_valid_device"].GetBoolean());
    }

    [Fact]
    public async Task A_device_id_that_is_no_uuid_never_returns_an_existing_user()
    {
        var id = "700123456" + Random.Shared.Next(1000, 9999);
        var first = await Phone.OnboardAsync(system.Url, id);
        var guesser = await Phone.OnboardAsync(system.Url, id, "another-phone");
        Assert.NotEqual(first.UserId, guesser.UserId);
    }

    [Fact]
    public async Task The_same_id_that_is_no_uuid_with_the_same_token_is_the_same_guest_for_ten_minutes()
    {
        var id = "400000" + Random.Shared.NextInt64(100_000_000, 999_999_999);
        var token = Phone.TokenOf(id);
        var first = await Phone.CheckAsync(system.Url, id, token);
        // The answer is lost and the app tries twice more.
        var again = await Task.WhenAll(Phone.CheckAsync(system.Url, id, token), Phone.CheckAsync(system.Url, id, token));
        foreach (var answer in again)
        {
            Assert.Equal(first["user_id"].GetGuid(), answer["user_id"].GetGuid());
            Assert.Equal(10, answer["credits_remaining"].GetInt32());
            Assert.False(answer["is_new"].GetBoolean());
            Assert.True(answer["is_valid_device"].GetBoolean());
        }
        // Another token of the same phone, another id with this token, and the same after ten minutes open nobody's.
        var newer = Convert.ToBase64String(Encoding.UTF8.GetBytes("device:" + id + "2"));
        Assert.NotEqual(first["user_id"].GetGuid(), (await Phone.CheckAsync(system.Url, id, newer))["user_id"].GetGuid());
        Assert.NotEqual(first["user_id"].GetGuid(), (await Phone.CheckAsync(system.Url, id + "1", token))["user_id"].GetGuid());
        await system.ExecuteAsync($"update device_openings set opened_at = opened_at - interval '601 seconds' where user_id = '{first["user_id"].GetGuid()}'");
        Assert.NotEqual(first["user_id"].GetGuid(), (await Phone.CheckAsync(system.Url, id, token))["user_id"].GetGuid());
        Assert.Equal(
            0,
            await system.QueryAsync<long>($"select count(*) from device_openings o where o::text like '%{id}%' or position('{token}' in o::text) > 0")
        );
    }

    [Fact]
    public async Task Three_device_checks_at_once_with_digits_and_one_token_are_one_guest_with_ten_credits()
    {
        var id = "410000" + Random.Shared.NextInt64(100_000_000, 999_999_999);
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Phone.CheckAsync(system.Url, id, Phone.TokenOf(id))));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer["user_id"].GetGuid()).Distinct());
        Assert.All(answers, answer => Assert.Equal(10, answer["credits_remaining"].GetInt32()));
        Assert.Single(answers, answer => answer["is_new"].GetBoolean());
    }

    [Fact]
    public async Task A_repeated_device_check_with_digits_opens_neither_a_member_nor_a_banned_guest_nor_a_deleted_one()
    {
        async Task<(string Id, Guid UserId)> NewAsync()
        {
            var id = "420000" + Random.Shared.NextInt64(100_000_000, 999_999_999);
            return (id, (await Phone.OnboardAsync(system.Url, id)).UserId);
        }
        var member = await NewAsync();
        await system.ExecuteAsync($"update users set is_guest = false, apple_sub = 'apple-{member.UserId}' where id = '{member.UserId}'");
        Assert.NotEqual(member.UserId, (await Phone.OnboardAsync(system.Url, member.Id)).UserId);
        var banned = await NewAsync();
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{banned.UserId}'");
        Assert.Equal("ERR_4006", (await Phone.CheckAsync(system.Url, banned.Id, Phone.TokenOf(banned.Id))).Code);
        var left = await NewAsync();
        await system.QueryAsync<string>($"select internal.erase_account('{left.UserId}')::text");
        Assert.NotEqual(left.UserId, (await Phone.OnboardAsync(system.Url, left.Id)).UserId);
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from device_openings where user_id = '{left.UserId}'"));
    }

    [Theory]
    [InlineData("not base64 at all!")]
    [InlineData("aGVsbG8=")]
    public async Task A_token_that_apple_refuses_is_an_invalid_device_and_gets_no_session(string token)
    {
        var id = Guid.NewGuid().ToString();
        var answer = await Phone.CheckAsync(system.Url, id, token);
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal("ERR_4010", answer.Code);
        Assert.Equal(
            0,
            await system.QueryAsync<long>(
                $"select count(*) from quota_log q join users u on u.id = q.user_id where u.device_id = internal.device_id_hash('{id}')"
            )
        );
    }

    [Theory]
    [InlineData("down")]
    [InlineData("unauthorized")]
    [InlineData("drop")]
    public async Task With_apple_away_there_is_a_session_at_once_and_the_grant_follows(string kind)
    {
        await using var alone = new TestSystem();
        await alone.InitializeAsync();
        await using var outage = await alone.OutageAsync("devicecheck", kind);
        var phone = await alone.NewGuestAsync();
        Assert.Equal(0, phone.Onboarding["credits_remaining"].GetInt32());
        Assert.False(phone.Onboarding["is_valid_device"].GetBoolean());
        await outage.EndAsync();
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10);
        await alone.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_banned_device_is_refused_with_the_reason()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{phone.UserId}'");
        var answer = await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId));
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal("ERR_4006", answer.Code);
    }

    [Fact]
    public async Task A_device_of_a_member_is_not_handed_the_members_session()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set is_guest = false, apple_sub = 'apple-{phone.UserId}' where id = '{phone.UserId}'");
        var other = await Phone.OnboardAsync(system.Url, phone.DeviceId);
        Assert.NotEqual(phone.UserId, other.UserId);
        Assert.Equal(0, other.Onboarding["credits_remaining"].GetInt32());
        Assert.Equal([$"{other.UserId}"], await system.RowsAsync($"select id from users where device_id = internal.device_id_hash('{phone.DeviceId}')"));
    }

    [Fact]
    public async Task New_devices_of_one_address_are_limited_and_known_ones_never()
    {
        await using var strict = new Strict();
        await strict.InitializeAsync();
        var known = await strict.NewGuestAsync();
        await strict.NewGuestAsync();
        var refused = await Phone.CheckAsync(strict.Url, Guid.NewGuid().ToString(), Phone.TokenOf("one too many"));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal("ERR_4004", refused.Code);
        Assert.True(refused.Raw.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal("2", Assert.Single(refused.Raw.Headers.GetValues("X-RateLimit-Limit")));
        Assert.Equal("0", Assert.Single(refused.Raw.Headers.GetValues("X-RateLimit-Remaining")));
        var resetAt = long.Parse(Assert.Single(refused.Raw.Headers.GetValues("X-RateLimit-Reset")), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(resetAt, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds() + 1);
        Assert.Equal(known.UserId, (await Phone.OnboardAsync(strict.Url, known.DeviceId)).UserId);
    }

    [Fact]
    public async Task Neither_device_id_nor_token_is_ever_logged()
    {
        var id = Guid.NewGuid().ToString();
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes("a bad token " + id));
        await Phone.CheckAsync(system.Url, id, token);
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from error_log where error_code = 'ERR_4010'"), rows => rows > 0);
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from error_log e where e::text like '%{id}%' or e::text like '%{token}%'"));
    }

    private sealed class Strict : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Devices:NewDevicesPerWindow"] = "2" };
    }
}
