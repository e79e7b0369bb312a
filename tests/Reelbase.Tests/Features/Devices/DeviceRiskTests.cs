using System.Net;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Banned phones, risky devices and addresses, and a moody Apple.</summary>
public sealed class DeviceRiskTests(DeviceRiskTests.Guarded system) : IClassFixture<DeviceRiskTests.Guarded>
{
    public sealed class Guarded : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Devices:ThrottleRiskScore"] = "40",
                ["Devices:BlockRiskScore"] = "80",
                ["Devices:ThrottleSeconds"] = "600",
                ["DeviceCheck:DevelopmentUrl"] = SimulatorsUrl + "/devicecheck/development",
            };
    }

    private const string BadToken = "bm90IGEgZGV2aWNl";

    [Fact]
    public async Task A_ban_marks_the_phone_at_apple_and_no_other_guest_starts_on_it_until_it_is_lifted()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set banned_at = now() where id = '{phone.UserId}'");
        var refused = await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId));
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4006"), (refused.Status, refused.Code));
        await Eventually.IsAsync(() => BitsAsync(phone.DeviceId), bits => bits.Contains("\"bit1\":true", StringComparison.Ordinal));
        Assert.Contains("\"bit0\":true", await BitsAsync(phone.DeviceId), StringComparison.Ordinal);

        // Reset and reinstalled, under an id that nobody knows: the phone itself is marked.
        var users = await system.QueryAsync<long>("select count(*) from users");
        var reset = await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), Phone.TokenOf(phone.DeviceId));
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4006"), (reset.Status, reset.Code));
        Assert.Equal(users, await system.QueryAsync<long>("select count(*) from users"));

        await system.ExecuteAsync($"update users set banned_at = null where id = '{phone.UserId}'");
        Assert.Equal(phone.UserId, (await Phone.OnboardAsync(system.Url, phone.DeviceId)).UserId);
        await Eventually.IsAsync(() => BitsAsync(phone.DeviceId), bits => bits.Contains("\"bit1\":false", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refused_tokens_throttle_a_device_and_then_block_it_while_known_phones_are_served()
    {
        var known = await system.NewGuestAsync();
        var device = Guid.NewGuid().ToString();
        for (var count = 0; count < 3; count++)
        {
            Assert.Equal("ERR_4010", (await Phone.CheckAsync(system.Url, device, BadToken)).Code);
        }
        // 45 points: one attempt, then a pause.
        var first = await Phone.CheckAsync(system.Url, device, BadToken);
        var second = await Phone.CheckAsync(system.Url, device, BadToken);
        Assert.Equal(("ERR_4010", "ERR_4004"), (first.Code, second.Code));
        Assert.NotNull(second.Raw.Headers.RetryAfter);
        await system.ExecuteAsync($"update device_checks set fraud_flags = '{{bit_unconfirmed}}' where device_id = internal.device_id_hash('{device}')");
        var blocked = await Phone.CheckAsync(system.Url, device, Phone.TokenOf(device));
        Assert.Equal(("ERR_4010", "device_blocked"), (blocked.Code, blocked["error"].GetProperty("details").GetProperty("reason").GetString()));
        Assert.Equal(80, await system.QueryAsync<int>($"select risk_score from device_checks where device_id = internal.device_id_hash('{device}')"));
        Assert.Equal(4, await system.QueryAsync<int>($"select failure_count from device_checks where device_id = internal.device_id_hash('{device}')"));
        Assert.Equal(known.UserId, (await Phone.OnboardAsync(system.Url, known.DeviceId)).UserId);
        await system.NewGuestAsync();
    }

    [Fact]
    public async Task Apples_outage_counts_as_nobodys_failure_and_the_grant_follows()
    {
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var phone = await Phone.OnboardAsync(system.Url);
        await outage.EndAsync();
        Assert.Equal((0, false), (phone.Onboarding["credits_remaining"].GetInt32(), phone.Onboarding["is_valid_device"].GetBoolean()));
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 10);
        Assert.Equal(
            "0|true|0",
            (
                await system.RowsAsync(
                    $"select failure_count, (outage_count > 0)::text, risk_score from device_checks where device_id = internal.device_id_hash('{phone.DeviceId}')"
                )
            )[0]
        );
    }

    [Fact]
    public async Task Apples_clock_and_an_old_token_of_ours_are_put_right_within_the_call()
    {
        await using var mood = await system.DeviceCheckMoodAsync(900, expired: 1);
        Assert.Equal(10, (await system.NewGuestAsync()).Onboarding["credits_remaining"].GetInt32());
        await mood.EndAsync();
        // And back again.
        Assert.Equal(10, (await system.NewGuestAsync()).Onboarding["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task A_build_from_xcode_is_asked_about_at_the_development_host()
    {
        var device = Guid.NewGuid().ToString();
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes("xcode:" + device));
        var answer = await Phone.CheckAsync(system.Url, device, token);
        Assert.Equal((HttpStatusCode.OK, 10), (answer.Status, answer["credits_remaining"].GetInt32()));
        Assert.Contains("\"bit0\":true", await BitsAsync("xcode:" + device), StringComparison.Ordinal);
        Assert.Equal(0, (await Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), token))["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task A_wiped_database_grants_no_phone_twice()
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => system.NewGuestAsync()));
        Assert.All(phones, phone => Assert.Equal(10, phone.Onboarding["credits_remaining"].GetInt32()));
        await using var wiped = new Wiped(system.SimulatorsUrl);
        await wiped.InitializeAsync();
        foreach (var phone in phones)
        {
            var again = await Phone.OnboardAsync(wiped.Url, phone.DeviceId);
            Assert.Equal((0, true), (again.Onboarding["credits_remaining"].GetInt32(), again.Onboarding["is_valid_device"].GetBoolean()));
        }
    }

    /// <summary>The same installation after its database was lost: new rows, the same Apple.</summary>
    private sealed class Wiped(string apple) : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["DeviceCheck:BaseUrl"] = apple + "/devicecheck" };
    }

    private async Task<string> BitsAsync(string device)
    {
        var all = await system.Control.GetStringAsync("/_control/devicecheck/devices");
        var at = all.IndexOf($"\"name\":\"{device}\"", StringComparison.Ordinal);
        return at < 0 ? "" : all[at..all.IndexOf('}', at)];
    }
}
