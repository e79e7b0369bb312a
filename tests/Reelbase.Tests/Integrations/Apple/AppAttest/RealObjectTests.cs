using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations.AppAttest;

/// <summary>Attestations and assertions of real phones (<c>real-objects.json</c>), at the time at which each was made.</summary>
[Quick]
public sealed class RealObjectTests
{
    public static TheoryData<string> Names => [.. Objects.Select(one => one!["name"]!.GetValue<string>())];

    private static JsonArray Objects { get; } =
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Integrations", "Apple", "AppAttest", "real-objects.json")))![
            "objects"
        ]!.AsArray();

    private sealed record Real(byte[] Attestation, byte[] KeyId, byte[] ClientDataHash, DateTimeOffset At, string AppId, string Environment, byte[] Assertion);

    [Fact]
    public void The_pinned_roots_are_those_that_Apple_publishes()
    {
        Assert.Equal(AppleRoots.AppAttestationSha256, AppleRoots.AppAttestation.GetCertHashString(HashAlgorithmName.SHA256));
        Assert.Equal(AppleRoots.ReceiptSigningSha256, AppleRoots.ReceiptSigning.GetCertHashString(HashAlgorithmName.SHA256));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_real_attestation_and_its_assertion_are_believed(string name)
    {
        var real = Find(name);
        var key = Verify(real, out var fault);
        Assert.Equal(AppAttestFault.None, fault);
        Assert.Equal((real.AppId, real.Environment), (key!.AppId, key.Environment));
        Assert.Equal(1u, VerifierOf(real).VerifyAssertion(real.Assertion, key, real.ClientDataHash, 0, out _));
        Assert.Null(VerifierOf(real).VerifyAssertion(real.Assertion, key, real.ClientDataHash, 1, out fault));
        Assert.Equal(AppAttestFault.Counter, fault);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_real_attestation_is_refused_for_another_app_key_challenge_environment_or_time(string name)
    {
        var real = Find(name);
        Refused(real with { AppId = real.AppId + "x" }, AppAttestFault.AppId);
        Refused(real with { AppId = "AAAAAAAAAA" + real.AppId[10..] }, AppAttestFault.AppId);
        Refused(real with { KeyId = SHA256.HashData(real.KeyId) }, AppAttestFault.KeyId);
        Refused(real with { ClientDataHash = SHA256.HashData(real.ClientDataHash) }, AppAttestFault.Nonce);
        Refused(real with { Environment = real.Environment == "production" ? "development" : "production" }, AppAttestFault.Environment);
        Refused(real with { At = real.At.AddDays(400) }, AppAttestFault.Expired);
        Refused(real with { At = real.At.AddDays(-4) }, AppAttestFault.Expired);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Changing_any_byte_of_a_real_object_has_it_refused(string name)
    {
        var real = Find(name);
        var key = Verify(real, out _)!;
        var accepted = new List<int>();
        // A try costs milliseconds: a hundred of each object, and in a campaign every byte of the attestation and every bit of the assertion.
        var tries = Campaign.Share(100, real.Attestation.Length);
        foreach (var i in Enumerable.Range(0, tries).Select(n => (int)((long)n * real.Attestation.Length / tries)))
        {
            var changed = (byte[])real.Attestation.Clone();
            changed[i] ^= (byte)(1 << (i % 8));
            if (Verify(real with { Attestation = changed }, out _) is not null)
            {
                accepted.Add(i);
            }
        }
        Assert.True(accepted.Count == 0, string.Join(",", accepted));
        var bits = real.Assertion.Length * 8;
        tries = Campaign.Share(100, bits);
        foreach (var i in Enumerable.Range(0, tries).Select(n => (int)((long)n * bits / tries)))
        {
            var changed = (byte[])real.Assertion.Clone();
            changed[i / 8] ^= (byte)(1 << (i % 8));
            if (VerifierOf(real).VerifyAssertion(changed, key, real.ClientDataHash, 0, out _) is not null)
            {
                accepted.Add(i);
            }
        }
        Assert.Empty(accepted);
    }

    private static void Refused(Real real, AppAttestFault reason)
    {
        Assert.Null(Verify(real, out var fault));
        Assert.Equal(reason, fault);
    }

    private static AttestedKey? Verify(Real real, out AppAttestFault fault) =>
        VerifierOf(real).VerifyAttestation(real.Attestation, real.KeyId, real.ClientDataHash, real.At, out fault);

    private static AppAttestVerifier VerifierOf(Real real) => new(new([real.AppId], [real.Environment], [], TimeSpan.FromMinutes(5)));

    private static Real Find(string name)
    {
        var one = Objects.Single(one => one!["name"]!.GetValue<string>() == name)!;
        return new(
            Bytes(one, "attestation"),
            Bytes(one, "key_id"),
            Bytes(one, "client_data_hash"),
            one["at"]!.GetValue<DateTimeOffset>(),
            $"{one["team"]}.{one["bundle"]}",
            one["environment"]!.GetValue<string>(),
            one["assertion"] is null ? [] : Bytes(one, "assertion")
        );
    }

    private static byte[] Bytes(JsonNode one, string name) => Convert.FromBase64String(one[name]!.GetValue<string>());
}
