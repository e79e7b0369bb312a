using System.Net;
using Reelbase.Simulators.AppAttest;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Device ids that have keys: only a key of its own opens the guest of an id.</summary>
[Collection("app attest")]
public sealed class AppAttestTests(AttestedSystem system)
{
    [Fact]
    public async Task A_new_phone_brings_a_key_and_is_known_by_it_from_then_on()
    {
        var (id, key) = (NewId(), system.NewKey());
        var first = await system.AttestAsync(key, id);
        AssertGuest(first, 10, isNew: true);
        foreach (var device in new[] { id, id.ToUpperInvariant() })
        {
            var again = await system.AssertAsync(key, device, Phone.TokenOf(device + "2"));
            AssertGuest(again, 10, isNew: false);
            Assert.Equal(User(first), User(again));
        }
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_known_device_gets_its_first_key_and_then_no_other_phone_opens_its_guest_whatever_token_it_has()
    {
        var known = await system.NewGuestAsync();
        Assert.Equal(known.UserId, User(await system.AttestAsync(system.NewKey(), known.DeviceId)));
        // Any iPhone's token is good for Apple: the id alone opens a guest without credits, the same one for a token that comes again.
        var token = Phone.TokenOf("a thief's phone");
        var stranger = await system.CheckAsync(known.DeviceId, token, null);
        AssertGuest(stranger, 0, isNew: true);
        Assert.NotEqual(known.UserId, User(stranger));
        Assert.Equal(User(stranger), User(await system.CheckAsync(known.DeviceId, token, null)));
        // The device's own token of a moment ago is no key either.
        Assert.NotEqual(known.UserId, User(await system.CheckAsync(known.DeviceId, Phone.TokenOf(known.DeviceId), null)));
        Assert.Equal(10, await known.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_new_key_without_proof_opens_a_guest_of_its_own_and_with_the_guests_refresh_token_the_known_one()
    {
        var known = await system.NewGuestAsync();
        var first = system.NewKey();
        await system.AttestAsync(first, known.DeviceId);
        var second = system.NewKey();
        var stranger = await system.AttestAsync(second, known.DeviceId, Phone.TokenOf("another phone"));
        AssertGuest(stranger, 0, isNew: true);
        var again = await system.AssertAsync(second, known.DeviceId, Phone.TokenOf("another phone, later"));
        Assert.Equal(User(stranger), User(again));
        // With it the stranger's key joins, and needs no more proof.
        Assert.Equal(known.UserId, User(await system.AssertAsync(second, known.DeviceId, refreshToken: known.RefreshToken)));
        Assert.Equal(known.UserId, User(await system.AssertAsync(second, known.DeviceId)));
        // Its own refresh token is not the known guest's, nor is anybody else's.
        foreach (var refresh in new[] { stranger["refresh_token"].GetString()!, (await system.NewGuestAsync()).RefreshToken, "nonsense", "" })
        {
            Assert.NotEqual(known.UserId, User(await system.AttestAsync(system.NewKey(), known.DeviceId, refreshToken: refresh)));
        }
        var third = system.NewKey();
        Assert.Equal(known.UserId, User(await system.AttestAsync(third, known.DeviceId, refreshToken: known.RefreshToken)));
        foreach (var key in new[] { first, third })
        {
            Assert.Equal(known.UserId, User(await system.AssertAsync(key, known.DeviceId)));
        }
        // The token was read and not used up.
        Assert.Equal(HttpStatusCode.OK, (await known.PostAsync("/auth/v1/token?grant_type=refresh_token", new { refresh_token = known.RefreshToken })).Status);
        Assert.Equal(known.UserId, User(await system.AttestAsync(system.NewKey(), known.DeviceId, refreshToken: known.RefreshToken)));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_revoked_refresh_token_joins_no_key()
    {
        var known = await system.NewGuestAsync();
        await system.AttestAsync(system.NewKey(), known.DeviceId);
        Assert.Equal(HttpStatusCode.NoContent, (await known.PostAsync("/auth/v1/logout?scope=global", new { })).Status);
        Assert.NotEqual(known.UserId, User(await system.AttestAsync(system.NewKey(), known.DeviceId, refreshToken: known.RefreshToken)));
    }

    [Fact]
    public async Task A_session_signed_in_by_Apple_joins_a_key_to_the_device_of_its_account_and_a_guests_session_does_not()
    {
        var member = await system.NewGuestAsync();
        await system.AttestAsync(system.NewKey(), member.DeviceId);
        var (token, _) = await system.PretendApple.SignInAsync("attested " + member.UserId);
        Assert.Equal(HttpStatusCode.OK, (await member.PostAsync("/merge-guest-user", new { id_token = token })).Status);
        // A device of a member: its guest is nobody's to open, the id moves to a new guest for whoever has proven it, and stays where it is for others.
        var guest = system.NewKey();
        AssertGuest(await system.AttestAsync(guest, member.DeviceId, bearer: (await system.NewGuestAsync()).AccessToken), 0, isNew: true);
        Assert.Equal(1, await MergedAsync(member.DeviceId));
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from users where id = '{member.UserId}' and device_id is not null"));
        using var http = system.Anybody();
        var (again, _) = await system.PretendApple.SignInAsync("attested " + member.UserId);
        var signedIn = await ApiResponse.ReadAsync(
            await http.PostAsJsonAsync("/auth/v1/token?grant_type=id_token", new { provider = "apple", id_token = again })
        );
        var moved = await system.AttestAsync(system.NewKey(), member.DeviceId, bearer: signedIn["access_token"].GetString());
        AssertGuest(moved, 0, isNew: true);
        Assert.Equal(2, await MergedAsync(member.DeviceId));
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from users where id = '{member.UserId}' and device_id is not null"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task With_Apple_away_a_phone_without_a_key_gets_a_guest_who_is_never_joined_and_the_true_phone_one_who_is()
    {
        var known = await system.NewGuestAsync();
        var key = system.NewKey();
        await system.AttestAsync(key, known.DeviceId);
        await using var outage = await system.OutageAsync("devicecheck", "down");
        var thief = User(await system.CheckAsync(known.DeviceId, Phone.TokenOf("a thief in the dark"), null));
        var waiting = User(await system.AssertAsync(key, known.DeviceId, Phone.TokenOf("the true phone")));
        Assert.Equal(3, new[] { thief, waiting, known.UserId }.Distinct().Count());
        await outage.EndAsync();
        await Eventually.IsAsync(() => system.QueryAsync<Guid>($"select merged_into from users where id = '{waiting}'"), into => into == known.UserId);
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from users where id = '{thief}' and merged_into is not null"));
        Assert.Equal(known.UserId, User(await system.AssertAsync(key, known.DeviceId)));
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from users where id = '{thief}' and merged_into is not null"));
    }

    [Fact]
    public async Task An_id_that_is_no_uuid_opens_nobody_with_a_key_either()
    {
        var id = Random.Shared.NextInt64(1, long.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var key = system.NewKey();
        var first = await system.AttestAsync(key, id);
        AssertGuest(first, 10, isNew: true);
        AssertRefused(await system.AssertAsync(key, id, Phone.TokenOf(id + "2")));
        Assert.NotEqual(User(first), User(await system.AttestAsync(system.NewKey(), id, Phone.TokenOf(id + "3"))));
        Assert.Equal(0, await MergedAsync(id));
    }

    [Fact]
    public async Task Keys_of_an_id_are_bounded_and_strangers_keys_push_none_of_its_own_out()
    {
        var known = await system.NewGuestAsync();
        var keys = Enumerable.Range(0, 4).Select(_ => system.NewKey()).ToList();
        foreach (var key in keys)
        {
            Assert.Equal(known.UserId, User(await system.AttestAsync(key, known.DeviceId, refreshToken: known.RefreshToken)));
        }
        for (var count = 0; count < 5; count++)
        {
            await system.AttestAsync(system.NewKey(), known.DeviceId, Phone.TokenOf("stranger " + count));
        }
        Assert.Equal(3, await MergedAsync(known.DeviceId));
        Assert.Equal(6, await system.QueryAsync<long>($"select count(*) from device_keys where device_hash = internal.device_id_hash('{known.DeviceId}')"));
        AssertRefused(await system.AssertAsync(keys[0], known.DeviceId));
        foreach (var key in keys.Skip(1))
        {
            Assert.Equal(known.UserId, User(await system.AssertAsync(key, known.DeviceId)));
        }
    }

    [Fact]
    public async Task Keys_go_with_their_account_follow_a_merge_and_are_in_the_export_without_secrets()
    {
        var phone = await system.NewGuestAsync();
        var key = system.NewKey();
        await system.AttestAsync(key, phone.DeviceId);
        var subject = "keys of " + phone.UserId;
        var (token, _) = await system.PretendApple.SignInAsync(subject);
        var other = await system.NewGuestAsync();
        await other.PostAsync("/merge-guest-user", new { id_token = token });
        (token, _) = await system.PretendApple.SignInAsync(subject);
        await phone.PostAsync("/merge-guest-user", new { id_token = token });
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from device_keys where user_id = '{other.UserId}'"));
        var export = await other.PostAsync("/export-user-data", new { });
        var listed = export["device_keys"].EnumerateArray().Single();
        Assert.Equal(key.KeyId, listed.GetProperty("key_id").GetString());
        Assert.DoesNotContain("public_key", listed.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await other.PostAsync("/delete-account", new { })).Status);
        Assert.Equal(0, await system.QueryAsync<long>($"select count(*) from device_keys where device_hash = internal.device_id_hash('{phone.DeviceId}')"));
        AssertRefused(await system.AssertAsync(key, phone.DeviceId));
        // The phone makes a new key, and the id is as good as new.
        var anew = await system.AttestAsync(system.NewKey(), phone.DeviceId);
        AssertGuest(anew, 0, isNew: true);
    }

    [Fact]
    public async Task One_challenge_is_used_once_also_by_twenty_at_once_on_two_nodes()
    {
        var (id, key) = (NewId(), system.NewKey());
        await system.AttestAsync(key, id);
        await using var node = system.BuildServer(new() { ["urls"] = TestSystem.AnyPort });
        await node.StartAsync();
        using var http = system.Anybody();
        using var there = new HttpClient { BaseAddress = new Uri(TestSystem.AddressOf(node)) };
        var challenge = await system.ChallengeAsync();
        var token = Phone.TokenOf(id);
        var bodies = Enumerable
            .Range(0, 20)
            .Select(_ => AttestedSystem.Asserted(key, challenge, key.Assert(AttestedSystem.ClientDataHash(challenge, id, token))))
            .ToList();
        var answers = await Task.WhenAll(
            bodies.Select(
                (body, n) =>
                    (n % 2 == 0 ? http : there).PostAsJsonAsync(
                        "/device-check",
                        new
                        {
                            device_id = id,
                            device_token = token,
                            app_attest = body,
                        }
                    )
            )
        );
        // The one that took the challenge may have come with a counter below another's; but no other took it.
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal(19, answers.Count(answer => answer.StatusCode == HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task Of_ten_assertions_with_one_counter_at_once_one_passes()
    {
        var (id, key) = (NewId(), system.NewKey());
        await system.AttestAsync(key, id);
        var token = Phone.TokenOf(id);
        var challenges = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => system.ChallengeAsync()));
        var answers = await Task.WhenAll(
            challenges.Select(challenge =>
                system.CheckAsync(
                    id,
                    token,
                    AttestedSystem.Asserted(
                        key,
                        challenge,
                        new Assertion(key.Key, AttestedSystem.AppId, 1, AttestedSystem.ClientDataHash(challenge, id, token)).Build()
                    )
                )
            )
        );
        Assert.Equal(1, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), AssertRefused);
    }

    private static string NewId() => Guid.NewGuid().ToString();

    private static Guid User(ApiResponse answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer["user_id"].GetGuid();
    }

    private static void AssertGuest(ApiResponse answer, int credits, bool isNew)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal((credits, isNew, true), (answer["credits_remaining"].GetInt32(), answer["is_new"].GetBoolean(), answer["is_valid_device"].GetBoolean()));
    }

    private static void AssertRefused(ApiResponse answer)
    {
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4010"), (answer.Status, answer.Code));
        Assert.Equal("app_attest", answer["error"].GetProperty("details").GetProperty("reason").GetString());
    }

    private Task<long> MergedAsync(string deviceId) =>
        system.QueryAsync<long>($"select count(*) from device_keys where is_joined and device_hash = internal.device_id_hash('{deviceId}')");
}
