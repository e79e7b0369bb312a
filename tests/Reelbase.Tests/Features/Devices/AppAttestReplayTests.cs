using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Reelbase.Simulators.AppAttest;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What somebody sends who has overheard, stolen or made up parts of a device-check: refused, and counted under the reason that each case names.</summary>
[Collection("app attest")]
public sealed class AppAttestReplayTests(AttestedSystem system)
{
    /// <summary>A phone that is known, and what it sent last.</summary>
    private sealed record Known(string DeviceId, string Token, PhoneKey Key, Guid UserId);

    private delegate Task<object?> Forgery(AttestedSystem system, Known known);

    private static readonly Dictionary<string, (string Reason, Forgery Make)> Cases = new()
    {
        ["a challenge that was used"] = (
            "challenge_used",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                await system.CheckAsync(known.DeviceId, known.Token, Sign(known, challenge));
                return Sign(known, challenge);
            }
        ),
        ["a challenge that was used up by a forgery"] = (
            "challenge_used",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                await system.CheckAsync(known.DeviceId, known.Token, AttestedSystem.Asserted(known.Key, challenge, [1, 2, 3]));
                return Sign(known, challenge);
            }
        ),
        ["a challenge that has ended"] = (
            "challenge_expired",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                await system.ExecuteAsync("update device_challenges set expires_at = clock_timestamp() where used_at is null");
                return Sign(known, challenge);
            }
        ),
        ["a challenge that was made up"] = (
            "challenge_unknown",
            (_, known) => Task.FromResult<object?>(Sign(known, "kP0zq8mVb1yTn5m0eYwH3dQ2vJ7cL9sXfR4uA6iO8gE"))
        ),
        ["an assertion for another challenge"] = (
            "signature",
            async (system, known) =>
                AttestedSystem.Asserted(known.Key, await system.ChallengeAsync(), known.Key.Assert(Hash(known, await system.ChallengeAsync())))
        ),
        ["an assertion for another device id"] = (
            "signature",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                var hash = AttestedSystem.ClientDataHash(challenge, Guid.NewGuid().ToString(), known.Token);
                return AttestedSystem.Asserted(known.Key, challenge, known.Key.Assert(hash));
            }
        ),
        ["an assertion for another token"] = (
            "signature",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                var hash = AttestedSystem.ClientDataHash(challenge, known.DeviceId, Phone.TokenOf("another"));
                return AttestedSystem.Asserted(known.Key, challenge, known.Key.Assert(hash));
            }
        ),
        ["an assertion for the challenge alone"] = (
            "signature",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return AttestedSystem.Asserted(
                    known.Key,
                    challenge,
                    known.Key.Assert(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(challenge)))
                );
            }
        ),
        ["an assertion by another key under the known key's id"] = (
            "signature",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return AttestedSystem.Asserted(known.Key, challenge, system.NewKey().Assert(Hash(known, challenge)));
            }
        ),
        ["an assertion of another app"] = (
            "app_id",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return AttestedSystem.Asserted(known.Key, challenge, new Assertion(known.Key.Key, "AAAAAAAAAA.other", 900, Hash(known, challenge)).Build());
            }
        ),
        ["a counter that was used"] = (
            "counter",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                await system.CheckAsync(known.DeviceId, known.Token, Sign(known, challenge));
                challenge = await system.ChallengeAsync();
                return AttestedSystem.Asserted(
                    known.Key,
                    challenge,
                    new Assertion(known.Key.Key, AttestedSystem.AppId, known.Key.Counter, Hash(known, challenge)).Build()
                );
            }
        ),
        ["a key that nobody has attested"] = (
            "unknown_key",
            async (system, known) => Sign(known with { Key = system.NewKey() }, await system.ChallengeAsync())
        ),
        ["a key of another device id"] = (
            "key_of_another_id",
            async (system, known) =>
            {
                var key = system.NewKey();
                await system.AttestAsync(key, Guid.NewGuid().ToString());
                return Sign(known with { Key = key }, await system.ChallengeAsync());
            }
        ),
        ["an attestation of a key of another device id"] = (
            "key_of_another_id",
            async (system, known) =>
            {
                var key = system.NewKey();
                await system.AttestAsync(key, Guid.NewGuid().ToString());
                var challenge = await system.ChallengeAsync();
                return AttestedSystem.Attested(key, challenge, key.Attest(Hash(known, challenge)).Build());
            }
        ),
        ["an attestation for another challenge"] = (
            "nonce",
            async (system, known) => Attest(system.NewKey(), await system.ChallengeAsync(), Hash(known, await system.ChallengeAsync()))
        ),
        ["an attestation for another device id"] = (
            "nonce",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return Attest(system.NewKey(), challenge, AttestedSystem.ClientDataHash(challenge, Guid.NewGuid().ToString(), known.Token));
            }
        ),
        ["an attestation below another root"] = (
            "untrusted_chain",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return Attest(new PhoneKey(AppAttestAuthority.Create(), AttestedSystem.AppId), challenge, Hash(known, challenge));
            }
        ),
        ["an attestation of another app"] = (
            "app_id",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return Attest(new PhoneKey(system.Authority, "SIMULATED1.com.example.other"), challenge, Hash(known, challenge));
            }
        ),
        ["an attestation of a build from Xcode"] = (
            "environment",
            async (system, known) =>
            {
                var (challenge, key) = (await system.ChallengeAsync(), system.NewKey());
                var attestation = key.Attest(Hash(known, challenge));
                attestation.Aaguid = Attestation.DevelopmentAaguid;
                return AttestedSystem.Attested(key, challenge, attestation.Build());
            }
        ),
        ["an attestation under the id of another key"] = (
            "key_id",
            async (system, known) =>
            {
                var (challenge, key) = (await system.ChallengeAsync(), system.NewKey());
                return new
                {
                    key_id = system.NewKey().KeyId,
                    challenge,
                    attestation = Convert.ToBase64String(key.Attest(Hash(known, challenge)).Build()),
                };
            }
        ),
        ["an assertion as an attestation"] = (
            "malformed",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return AttestedSystem.Attested(known.Key, challenge, known.Key.Assert(Hash(known, challenge)));
            }
        ),
        ["an attestation as an assertion"] = (
            "size",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return AttestedSystem.Asserted(known.Key, challenge, known.Key.Attest(Hash(known, challenge)).Build());
            }
        ),
        ["both at once"] = (
            "form",
            async (system, known) =>
            {
                var challenge = await system.ChallengeAsync();
                return new
                {
                    key_id = known.Key.KeyId,
                    challenge,
                    attestation = Convert.ToBase64String(known.Key.Attest(Hash(known, challenge)).Build()),
                    assertion = Convert.ToBase64String(known.Key.Assert(Hash(known, challenge))),
                };
            }
        ),
        ["neither"] = ("form", async (system, known) => new { key_id = known.Key.KeyId, challenge = await system.ChallengeAsync() }),
        ["nothing at all"] = ("form", (_, _) => Task.FromResult<object?>(new { })),
        ["no challenge"] = ("form", (_, known) => Task.FromResult<object?>(new { key_id = known.Key.KeyId, assertion = "AAAA" })),
        ["a challenge of a thousand letters"] = (
            "form",
            (_, known) => Task.FromResult<object?>(AttestedSystem.Asserted(known.Key, new string('a', 1000), [1]))
        ),
        ["a key id that is no base64"] = (
            "form",
            async (system, _) =>
                new
                {
                    key_id = "not base64 at all, not at all, not at all!!",
                    challenge = await system.ChallengeAsync(),
                    assertion = "AAAA",
                }
        ),
        ["a key id of base64url"] = (
            "form",
            async (system, _) =>
                new
                {
                    key_id = new string('_', 43) + "=",
                    challenge = await system.ChallengeAsync(),
                    assertion = "AAAA",
                }
        ),
        ["a short key id"] = (
            "form",
            async (system, _) =>
                new
                {
                    key_id = "AAAA",
                    challenge = await system.ChallengeAsync(),
                    assertion = "AAAA",
                }
        ),
        ["an assertion that is no base64"] = (
            "form",
            async (system, known) =>
                new
                {
                    key_id = known.Key.KeyId,
                    challenge = await system.ChallengeAsync(),
                    assertion = "%%%%",
                }
        ),
        ["an assertion with line breaks"] = (
            "form",
            async (system, known) =>
                new
                {
                    key_id = known.Key.KeyId,
                    challenge = await system.ChallengeAsync(),
                    assertion = "AAAA\r\nAAAA",
                }
        ),
        ["an attestation of thirty thousand bytes"] = (
            "form",
            async (system, known) => AttestedSystem.Attested(known.Key, await system.ChallengeAsync(), new byte[30_000])
        ),
        ["an empty assertion"] = (
            "form",
            async (system, known) =>
                new
                {
                    key_id = known.Key.KeyId,
                    challenge = await system.ChallengeAsync(),
                    assertion = "",
                }
        ),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_forged_or_replayed_device_check_is_refused_for_its_reason(string name)
    {
        var known = await OnboardAsync();
        var (reason, make) = Cases[name];
        var forged = await make(system, known);
        using var heard = new Listener();
        var answer = await system.CheckAsync(known.DeviceId, known.Token, forged);
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4010"), (answer.Status, answer.Code));
        // The caller hears the code, and why only in our own figures.
        Assert.Equal("""{"reason":"app_attest"}""", answer["error"].GetProperty("details").GetRawText());
        Assert.Equal(reason, Assert.Single(heard.Outcomes));
    }

    [Fact]
    public async Task A_whole_device_check_that_was_overheard_is_good_for_nothing_with_or_without_its_attestation()
    {
        var (id, token, key) = (Guid.NewGuid().ToString(), Phone.TokenOf("overheard"), system.NewKey());
        var challenge = await system.ChallengeAsync();
        var attested = Attest(key, challenge, AttestedSystem.ClientDataHash(challenge, id, token));
        var first = await system.CheckAsync(id, token, attested);
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await system.CheckAsync(id, token, attested)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await system.CheckAsync(id, token, attested, first["refresh_token"].GetString())).Status);
        // Without it: the token is Apple's, and the guest is another.
        var replayed = await system.CheckAsync(id, token, null);
        Assert.NotEqual(first["user_id"].GetGuid(), replayed["user_id"].GetGuid());
        Assert.Equal(0, replayed["credits_remaining"].GetInt32());
        // A DeviceCheck token under another id makes a guest there, and the phone's bit gives it nothing.
        var elsewhere = await system.CheckAsync(Guid.NewGuid().ToString(), token, null);
        Assert.Equal(0, elsewhere["credits_remaining"].GetInt32());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Random_changes_of_a_good_request_are_refused_and_never_an_error_of_ours()
    {
        var known = await OnboardAsync();
        var random = new Random(Campaign.Seed);
        for (var round = 0; round < Campaign.Share(40, 2000); round++)
        {
            var (challenge, key) = (await system.ChallengeAsync(), system.NewKey());
            var hash = Hash(known, challenge);
            var isAttestation = round % 2 == 0;
            var bytes = isAttestation ? key.Attest(hash).Build() : known.Key.Assert(hash);
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            var answer = await system.CheckAsync(
                known.DeviceId,
                known.Token,
                isAttestation ? AttestedSystem.Attested(key, challenge, bytes) : AttestedSystem.Asserted(known.Key, challenge, bytes)
            );
            Assert.True((answer.Status, answer.Code) == (HttpStatusCode.Forbidden, "ERR_4010"), $"{Campaign.Repeat}, round {round}: {answer.Text}");
        }
    }

    [Theory]
    [InlineData("""{"device_id":"a","device_token":"AAAA","app_attest":7}""")]
    [InlineData("""{"device_id":"a","device_token":"AAAA","app_attest":"text"}""")]
    [InlineData("""{"device_id":"a","device_token":"AAAA","app_attest":[]}""")]
    [InlineData("""{"device_id":"a","device_token":"AAAA","app_attest":{"key_id":1}}""")]
    [InlineData("""{"device_id":"a","device_token":"AAAA","app_attest":{"challenge":{}}}""")]
    [InlineData("""{"device_id":"a","device_token":"AAAA","refresh_token":1}""")]
    public async Task Fields_of_another_type_are_a_malformed_request(string body)
    {
        using var http = system.Anybody();
        var answer = await ApiResponse.ReadAsync(await http.PostAsync("/device-check", new StringContent(body, Encoding.UTF8, "application/json")));
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4000"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Challenges_are_random_stored_as_hashes_and_few_are_kept()
    {
        using var http = system.Anybody();
        var answer = await ApiResponse.ReadAsync(await http.PostAsync("/device-challenge", null));
        var challenge = answer["challenge"].GetString()!;
        Assert.Equal((43, 300), (challenge.Length, answer["expires_in"].GetInt32()));
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from device_challenges where challenge_hash = sha256('{challenge}')"));
        Assert.NotEqual(challenge, await system.ChallengeAsync());
        await system.ExecuteAsync("update device_challenges set expires_at = clock_timestamp() - interval '2 hours'");
        var before = await system.QueryAsync<long>("select count(*) from device_challenges");
        await system.ChallengeAsync();
        Assert.Equal(Math.Max(before - 10, 0) + 1, await system.QueryAsync<long>("select count(*) from device_challenges"));
    }

    private async Task<Known> OnboardAsync()
    {
        var (id, key) = (Guid.NewGuid().ToString(), system.NewKey());
        var answer = await system.AttestAsync(key, id);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return new(id, Phone.TokenOf(id), key, answer["user_id"].GetGuid());
    }

    private static byte[] Hash(Known known, string challenge) => AttestedSystem.ClientDataHash(challenge, known.DeviceId, known.Token);

    private static object Sign(Known known, string challenge) => AttestedSystem.Asserted(known.Key, challenge, known.Key.Assert(Hash(known, challenge)));

    private static object Attest(PhoneKey key, string challenge, byte[] hash) => AttestedSystem.Attested(key, challenge, key.Attest(hash).Build());

    /// <summary>Outcomes as they are counted. The classes of this collection take turns, so they are this test's.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();

        public ConcurrentQueue<string> Outcomes { get; } = [];

        public Listener()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "reelbase.app_attest.checks")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>(
                (_, _, tags, _) =>
                {
                    foreach (var tag in tags)
                    {
                        if (tag.Key == "outcome" && tag.Value is string outcome && outcome != "ok")
                        {
                            Outcomes.Enqueue(outcome);
                        }
                    }
                }
            );
            _listener.Start();
        }

        public void Dispose() => _listener.Dispose();
    }
}
