using System.Net;
using Reelbase.Simulators.AppAttest;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Keys and temporary guests: what a call without its key gets, and what a key is worth once its temporary guest has become part of the id's guest.</summary>
[Collection("app attest")]
public sealed class AppAttestJoinTests(AttestedSystem system)
{
    [Fact]
    public async Task A_device_check_repeated_without_its_key_gets_another_guest_than_the_temporary_one()
    {
        var known = await system.NewGuestAsync();
        var key = system.NewKey();
        await system.AttestAsync(key, known.DeviceId);
        var token = Phone.TokenOf("of the phone " + known.DeviceId);
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var waiting = User(await system.AssertAsync(key, known.DeviceId, token));
        Assert.NotEqual(known.UserId, waiting);
        // Overheard: id and token are right, and there is no key. The temporary guest is about to become the known one.
        var overheard = await system.CheckAsync(known.DeviceId, token, null);
        Assert.DoesNotContain(User(overheard), new[] { waiting, known.UserId });
        Assert.Equal((0, false), (overheard["credits_remaining"].GetInt32(), overheard["is_valid_device"].GetBoolean()));
        // With the key it is the same temporary guest again.
        Assert.Equal(waiting, User(await system.AssertAsync(key, known.DeviceId, token)));
        await outage.EndAsync();
        await MergedAsync(waiting, known.UserId);
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from users where id = '{User(overheard)}' and merged_into is not null"));
        // Also afterwards, when Apple has accepted the very token.
        Assert.DoesNotContain(User(await system.CheckAsync(known.DeviceId, token, null)), new[] { waiting, known.UserId });
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_key_that_came_while_apple_was_away_joins_after_the_join_with_its_guests_refresh_token_and_not_without()
    {
        var known = await system.NewGuestAsync();
        await system.AttestAsync(system.NewKey(), known.DeviceId);
        var (second, token) = (system.NewKey(), Phone.TokenOf("a second phone " + known.DeviceId));
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var opened = await system.AttestAsync(second, known.DeviceId, token, known.RefreshToken);
        Assert.NotEqual(known.UserId, User(opened));
        Assert.False(await IsMergedAsync(second));
        await outage.EndAsync();
        await MergedAsync(User(opened), known.UserId);
        Assert.False(await IsMergedAsync(second));
        var without = await system.AssertAsync(second, known.DeviceId, Phone.TokenOf("a second phone, later " + known.DeviceId));
        Assert.NotEqual(known.UserId, User(without));
        Assert.Equal(0, without["credits_remaining"].GetInt32());
        // The session that the temporary guest was opened with is one of the known guest by now.
        Assert.Equal(known.UserId, User(await system.AssertAsync(second, known.DeviceId, refreshToken: opened["refresh_token"].GetString())));
        Assert.True(await IsMergedAsync(second));
        Assert.Equal(known.UserId, User(await system.AssertAsync(second, known.DeviceId)));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_temporary_guest_whose_own_token_nobody_accepted_is_no_proof_for_its_key_after_the_join()
    {
        var known = await system.NewGuestAsync();
        var (foreign, own) = (system.NewKey(), system.NewKey());
        // The id has no key yet. Somebody who knows it comes first, while Apple is away, and their token is no device's.
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var opened = await system.AttestAsync(foreign, known.DeviceId, Convert.ToBase64String(Guid.NewGuid().ToByteArray()));
        await system.ExecuteAsync($"update temporary_guests set device_token = null where user_id = '{User(opened)}'");
        await outage.EndAsync();
        // The true phone brings its key, and everybody of the id is joined.
        Assert.Equal(known.UserId, User(await system.AttestAsync(own, known.DeviceId, Phone.TokenOf("true " + known.DeviceId))));
        await MergedAsync(User(opened), known.UserId);
        Assert.False(await IsMergedAsync(foreign));
        foreach (var refresh in new[] { opened["refresh_token"].GetString(), null })
        {
            var answer = await system.AssertAsync(foreign, known.DeviceId, Phone.TokenOf("stolen " + known.DeviceId), refresh);
            Assert.NotEqual(known.UserId, User(answer));
            Assert.Equal(0, answer["credits_remaining"].GetInt32());
        }
        // Nor does its bearer open anything.
        using var http = system.Anybody();
        http.DefaultRequestHeaders.Authorization = new("Bearer", opened["access_token"].GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/get-user-credits")).StatusCode);
        Assert.Equal(known.UserId, User(await system.AssertAsync(own, known.DeviceId)));
        await system.AssertLedgerAsync();
    }

    private static Guid User(ApiResponse answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer["user_id"].GetGuid();
    }

    private Task<Guid?> MergedAsync(Guid guest, Guid known) =>
        Eventually.IsAsync(() => system.QueryAsync<Guid?>($"select merged_into from users where id = '{guest}'"), into => into == known);

    private Task<bool> IsMergedAsync(PhoneKey key) =>
        system.QueryAsync<bool>($"select coalesce(bool_or(is_joined), false) from device_keys where key_id = decode('{key.KeyId}', 'base64')");
}
