using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Phones that come with an id which has App Attest keys, and with none of them: a guest of their own, and a bounded number of those.</summary>
public sealed class KeylessGuestTests(KeylessGuestTests.Tight system) : IClassFixture<KeylessGuestTests.Tight>
{
    public sealed class Tight : AttestedSystem
    {
        protected override Dictionary<string, string?> Settings => new(base.Settings) { ["Devices:NewDevicesPerWindow"] = "25" };
    }

    [Fact]
    public async Task Guests_without_a_key_are_bounded_by_id_and_by_address_and_the_ids_own_phone_is_served()
    {
        var (first, second) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        var key = system.NewKey();
        await system.AttestAsync(key, first.DeviceId);
        await system.AttestAsync(system.NewKey(), second.DeviceId);
        for (var count = 0; count < 20; count++)
        {
            Assert.Equal(HttpStatusCode.OK, (await system.CheckAsync(first.DeviceId, Phone.TokenOf($"stranger {count}"), null)).Status);
        }
        var users = await system.QueryAsync<long>("select count(*) from users");
        AssertOver("device", await system.CheckAsync(first.DeviceId, Phone.TokenOf("one too many"), null));
        Assert.Equal(users, await system.QueryAsync<long>("select count(*) from users"));
        // Who has been there repeats the call, and the phone with the key comes as often as it likes.
        Assert.Equal(HttpStatusCode.OK, (await system.CheckAsync(first.DeviceId, Phone.TokenOf("stranger 7"), null)).Status);
        Assert.Equal(first.UserId, (await system.AssertAsync(key, first.DeviceId))["user_id"].GetGuid());
        // Two new devices and twenty strangers: three more from this address, whatever the id.
        for (var count = 0; count < 3; count++)
        {
            Assert.Equal(HttpStatusCode.OK, (await system.CheckAsync(second.DeviceId, Phone.TokenOf($"stranger {count}"), null)).Status);
        }
        AssertOver("address", await system.CheckAsync(second.DeviceId, Phone.TokenOf("one too many"), null));
        await system.AssertLedgerAsync();
    }

    private static void AssertOver(string scope, ApiResponse answer)
    {
        Assert.Equal((HttpStatusCode.TooManyRequests, "ERR_4004"), (answer.Status, answer.Code));
        Assert.Equal(scope, answer["error"].GetProperty("details").GetProperty("scope").GetString());
        Assert.NotNull(answer.Raw.Headers.RetryAfter);
    }
}
