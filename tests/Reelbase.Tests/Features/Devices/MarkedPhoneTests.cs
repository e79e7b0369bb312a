using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A phone that Apple's bits mark, with an id that is somebody else's: it gets nothing, and takes nothing away from whoever has the id.</summary>
public sealed class MarkedPhoneTests(TestSystem system) : IClassFixture<TestSystem>
{
    private const int Grant = 10;

    [Fact]
    public async Task A_marked_phone_with_somebodys_id_does_not_end_their_grant()
    {
        var (victim, thief) = (await OpenWhileAppleIsAwayAsync(), await NewMarkedAsync(bit0: true));
        var answer = await Phone.CheckAsync(system.Url, victim.DeviceId, Phone.TokenOf(thief));
        Assert.Equal((HttpStatusCode.OK, 0), (answer.Status, answer["credits_remaining"].GetInt32()));
        await GrantsAreDueAsync(victim);
        await Eventually.IsAsync(victim.CreditsAsync, credits => credits == Grant);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task An_id_that_a_marked_phone_has_brought_first_still_gives_an_unmarked_one_its_grant_once()
    {
        var (id, thief) = (Guid.NewGuid().ToString(), await NewMarkedAsync(bit0: true));
        Assert.Equal(0, (await Phone.OnboardAsync(system.Url, id, thief)).Onboarding["credits_remaining"].GetInt32());
        var owner = await Phone.OnboardAsync(system.Url, id);
        Assert.Equal((Grant, true), (owner.Onboarding["credits_remaining"].GetInt32(), owner.Onboarding["is_valid_device"].GetBoolean()));
        // Neither the marked one nor the owner's next phone gets it again, and that phone keeps its own for an id of its own.
        var next = Guid.NewGuid().ToString();
        foreach (var device in new[] { thief, next, id })
        {
            Assert.Equal(Grant, (await Phone.OnboardAsync(system.Url, id, device)).Onboarding["credits_remaining"].GetInt32());
        }
        Assert.Equal(Grant, (await Phone.OnboardAsync(system.Url, null, next)).Onboarding["credits_remaining"].GetInt32());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Marked_phones_are_asked_about_a_few_times_for_an_id_and_address_and_not_for_ever()
    {
        var id = Guid.NewGuid().ToString();
        Guid user = default;
        for (var count = 0; count < 8; count++)
        {
            user = (await Phone.OnboardAsync(system.Url, id, await NewMarkedAsync(bit0: true))).UserId;
        }
        Assert.Equal(3, await system.QueryAsync<long>($"select count(*) from device_grants where user_id = '{user}'"));
        // Whoever has the id has another address.
        await system.ExecuteAsync($"update device_grants set origin = sha256('elsewhere') where user_id = '{user}'");
        Assert.Equal(Grant, (await Phone.OnboardAsync(system.Url, id)).Onboarding["credits_remaining"].GetInt32());
    }

    [Fact]
    public async Task A_banned_phone_with_somebodys_id_is_refused_and_locks_nobody_out()
    {
        var (victim, thief) = (await OpenWhileAppleIsAwayAsync(), await NewMarkedAsync(bit1: true));
        for (var count = 0; count < 2; count++)
        {
            Assert.Equal("ERR_4006", (await Phone.CheckAsync(system.Url, victim.DeviceId, Phone.TokenOf(thief))).Code);
        }
        await GrantsAreDueAsync(victim);
        await Eventually.IsAsync(victim.CreditsAsync, credits => credits == Grant);
        Assert.Equal(victim.UserId, (await Phone.OnboardAsync(system.Url, victim.DeviceId, victim.DeviceId + "-later")).UserId);
        // Nothing about the victim has the banned phone's mark taken away.
        await system.AssertEventuallyNoOpenGrantAsync();
        Assert.Contains("\"bit1\":true", await BitsAsync(thief), StringComparison.Ordinal);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task An_id_that_a_banned_phone_has_brought_first_is_open_to_an_unmarked_one()
    {
        var (id, thief) = (Guid.NewGuid().ToString(), await NewMarkedAsync(bit1: true));
        Assert.Equal("ERR_4006", (await Phone.CheckAsync(system.Url, id, Phone.TokenOf(thief))).Code);
        Assert.Equal(Grant, (await Phone.OnboardAsync(system.Url, id)).Onboarding["credits_remaining"].GetInt32());
        // It is the owner's now, whoever comes with the id again.
        Assert.Equal(Grant, (await Phone.OnboardAsync(system.Url, id, id + "-later")).Onboarding["credits_remaining"].GetInt32());
    }

    private async Task<Phone> OpenWhileAppleIsAwayAsync()
    {
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var phone = await Phone.OnboardAsync(system.Url);
        // Until the test says so, nobody asks about it again; whoever is asking at the moment comes to an end first.
        await Eventually.IsAsync(
            () =>
                system.QueryAsync<long>(
                    $"with w as (update device_grants set run_after = now() + interval '1 hour' where user_id = '{phone.UserId}' and lease_until is null returning 1) select count(*) from w"
                ),
            rows => rows == 1
        );
        await outage.EndAsync();
        return phone;
    }

    private Task GrantsAreDueAsync(Phone phone) =>
        system.ExecuteAsync($"update device_grants set run_after = now() where decided_at is null and user_id = '{phone.UserId}'");

    private async Task<string> NewMarkedAsync(bool bit0 = false, bool bit1 = false)
    {
        var name = Guid.NewGuid().ToString();
        await system.Control.PostAsJsonAsync(
            "/_control/devicecheck/devices",
            new
            {
                name,
                bit0,
                bit1,
            }
        );
        return name;
    }

    private async Task<string> BitsAsync(string device)
    {
        var all = await system.Control.GetStringAsync("/_control/devicecheck/devices");
        var at = all.IndexOf($"\"name\":\"{device}\"", StringComparison.Ordinal);
        return all[at..all.IndexOf('}', at)];
    }
}
