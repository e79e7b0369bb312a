using System.Security.Cryptography;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Simulators.AppAttest;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations.AppAttest;

/// <summary>Forged and replayed attestations and assertions: each is refused for the reason that its name says.</summary>
[Quick]
public sealed class HostileAppAttestTests
{
    private const string AppId = "SIMULATED1.com.example.reelbase";
    private static readonly AppAttestAuthority Authority = AppAttestAuthority.Create();
    private static readonly byte[] ClientDataHash = SHA256.HashData("challenge.device.token"u8);
    private static readonly IReadOnlyList<HostileObject> Attestations = new HostileAttestations(Authority, AppId, ClientDataHash).All();
    private static readonly PhoneKey Key = new(Authority, AppId);
    private static readonly IReadOnlyList<HostileObject> Assertions = new HostileAssertions(Key, ClientDataHash).All();

    public static TheoryData<string, string> AttestationCases => [.. Attestations.Select(one => (one.Name, one.Reason))];
    public static TheoryData<string, string> AssertionCases => [.. Assertions.Select(one => (one.Name, one.Reason))];

    [Theory]
    [MemberData(nameof(AttestationCases))]
    public void A_forged_attestation_is_refused_for_its_reason(string name, string reason)
    {
        var one = Attestations.Single(one => one.Name == name);
        Assert.Null(Verifier().VerifyAttestation(one.Bytes, one.KeyId, ClientDataHash, DateTimeOffset.UtcNow, out var fault));
        Assert.Equal(reason, fault.Label());
    }

    [Theory]
    [MemberData(nameof(AssertionCases))]
    public void A_forged_assertion_is_refused_for_its_reason(string name, string reason)
    {
        var one = Assertions.Single(one => one.Name == name);
        Assert.Null(Verifier().VerifyAssertion(one.Bytes, Attested(Key), ClientDataHash, HostileAssertions.LastCounter, out var fault));
        Assert.Equal(reason, fault.Label());
    }

    [Fact]
    public void There_are_enough_of_them_and_every_reason_is_among_them()
    {
        Assert.True(Attestations.Count + Assertions.Count >= 60);
        var reasons = Attestations.Concat(Assertions).Select(one => one.Reason).ToHashSet();
        // A category that is not allowed needs a verifier that has a list of them; its test is below.
        Assert.Empty(Enum.GetValues<AppAttestFault>().Except([AppAttestFault.None, AppAttestFault.Category]).Select(fault => fault.Label()).Except(reasons));
    }

    [Fact]
    public void Honest_attestations_and_assertions_of_old_and_new_phones_are_believed()
    {
        foreach (var category in new int?[] { null, 4 })
        {
            var key = new PhoneKey(Authority, AppId);
            var attestation = key.Attest(ClientDataHash);
            attestation.Category = category;
            attestation.Flags = category is null ? (byte)0x40 : (byte)0xc0;
            var attested = Verifier().VerifyAttestation(attestation.Build(), KeyId(key), ClientDataHash, DateTimeOffset.UtcNow, out var fault);
            Assert.Equal(AppAttestFault.None, fault);
            Assert.Equal((AppId, "production", category), (attested!.AppId, attested.Environment, attested.Category));
            var assertion = new Assertion(key.Key, AppId, 9, ClientDataHash) { Category = category };
            Assert.Equal(9u, Verifier().VerifyAssertion(assertion.Build(), attested, ClientDataHash, 8, out _));
        }
    }

    [Fact]
    public void Extensions_that_nobody_knows_yet_confuse_nothing()
    {
        var key = new PhoneKey(Authority, AppId);
        var attestation = key.Attest(ClientDataHash);
        // {"apple_validation_category_01": 4, "apple_zzz": {"a": [1, 2]}}
        attestation.Extensions =
        [
            0xa2,
            0x78,
            0x1c,
            .. "apple_validation_category_01"u8,
            0x44,
            4,
            0,
            0,
            0,
            0x69,
            .. "apple_zzz"u8,
            0xa1,
            0x61,
            0x61,
            0x82,
            1,
            2,
        ];
        var attested = Verifier().VerifyAttestation(attestation.Build(), KeyId(key), ClientDataHash, DateTimeOffset.UtcNow, out _);
        Assert.Equal(4, attested!.Category);
    }

    [Fact]
    public void A_category_that_is_not_allowed_is_refused_and_a_phone_that_names_none_is_not()
    {
        var trust = Trust() with { Categories = [4, 2] };
        foreach (
            var (category, expected) in new (int?, AppAttestFault)[] { (4, 0), (2, 0), (null, 0), (3, AppAttestFault.Category), (5, AppAttestFault.Category) }
        )
        {
            var key = new PhoneKey(Authority, AppId);
            var attestation = key.Attest(ClientDataHash);
            attestation.Category = category;
            new AppAttestVerifier(trust).VerifyAttestation(attestation.Build(), KeyId(key), ClientDataHash, DateTimeOffset.UtcNow, out var fault);
            Assert.Equal(expected, fault);
            var assertion = new Assertion(key.Key, AppId, 1, ClientDataHash) { Category = category }.Build();
            new AppAttestVerifier(trust).VerifyAssertion(assertion, Attested(key), ClientDataHash, 0, out fault);
            Assert.Equal(expected, fault);
        }
    }

    [Fact]
    public void A_key_of_the_other_environment_asserts_nothing()
    {
        var assertion = new Assertion(Key.Key, AppId, 9, ClientDataHash).Build();
        Assert.Null(Verifier().VerifyAssertion(assertion, Attested(Key) with { Environment = "development" }, ClientDataHash, 0, out var fault));
        Assert.Equal(AppAttestFault.Environment, fault);
        Assert.Null(
            new AppAttestVerifier(Trust() with { AppIds = [AppId, AppId + "2"] }).VerifyAssertion(
                new Assertion(Key.Key, AppId + "2", 9, ClientDataHash).Build(),
                Attested(Key),
                ClientDataHash,
                0,
                out fault
            )
        );
        Assert.Equal(AppAttestFault.AppId, fault);
    }

    [Fact]
    public void A_clock_that_is_a_little_off_refuses_nobody()
    {
        var key = new PhoneKey(Authority, AppId);
        var attestation = key.Attest(ClientDataHash);
        var bytes = attestation.Build();
        foreach (
            var (at, expected) in new[]
            {
                (attestation.From.AddMinutes(-4), AppAttestFault.None),
                (attestation.From.AddMinutes(-6), AppAttestFault.Expired),
                (attestation.To.AddMinutes(4), AppAttestFault.None),
                (attestation.To.AddMinutes(6), AppAttestFault.Expired),
            }
        )
        {
            Verifier().VerifyAttestation(bytes, KeyId(key), ClientDataHash, at, out var fault);
            Assert.Equal(expected, fault);
        }
    }

    [Fact]
    public void Without_the_simulators_root_none_of_its_objects_is_believed()
    {
        var key = new PhoneKey(Authority, AppId);
        var verifier = new AppAttestVerifier(Trust() with { TestRoot = null });
        Assert.Null(verifier.VerifyAttestation(key.Attest(ClientDataHash).Build(), KeyId(key), ClientDataHash, DateTimeOffset.UtcNow, out var fault));
        Assert.Equal(AppAttestFault.UntrustedChain, fault);
    }

    private static AppAttestTrust Trust() => new([AppId], ["production"], [], TimeSpan.FromMinutes(5), Authority.Root);

    private static AppAttestVerifier Verifier() => new(Trust());

    private static AttestedKey Attested(PhoneKey key) => new(KeyId(key), Attestation.Point(key.Key), AppId, "production", null);

    private static byte[] KeyId(PhoneKey key) => Convert.FromBase64String(key.KeyId);
}
