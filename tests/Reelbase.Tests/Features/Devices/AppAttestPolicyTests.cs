using System.Net;
using Reelbase.Server.Integrations.Apple.AppAttest;
using Reelbase.Server.Platform;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Whether App Attest is verified, asked for, and what is refused at start.</summary>
[Collection("app attest")]
public sealed class AppAttestPolicyTests(AttestedSystem system)
{
    [Fact]
    public async Task Off_checks_nothing_and_required_refuses_a_device_check_without_it()
    {
        var known = await system.NewGuestAsync();
        var key = system.NewKey();
        await system.AttestAsync(key, known.DeviceId);
        var token = Phone.TokenOf(known.DeviceId);
        await using (await system.WithSettingsAsync(new() { ["AppAttest:Policy"] = "off" }))
        {
            foreach (var anything in new object?[] { null, new { key_id = "nonsense", attestation = "?" } })
            {
                Assert.Equal(known.UserId, (await system.CheckAsync(known.DeviceId, token, anything))["user_id"].GetGuid());
            }
        }
        await using var required = await system.WithSettingsAsync(new() { ["AppAttest:Policy"] = "required" });
        var refused = await system.CheckAsync(Guid.NewGuid().ToString(), token, null);
        Assert.Equal((HttpStatusCode.Forbidden, "ERR_4010"), (refused.Status, refused.Code));
        Assert.Equal(known.UserId, (await system.AssertAsync(key, known.DeviceId))["user_id"].GetGuid());
    }

    [Fact]
    public void Settings_that_cannot_be_meant_are_refused_at_start()
    {
        Assert.Null(Faults(Options()));
        Assert.Null(Faults(new AppAttestOptions()));
        Assert.Equal(AppAttestOptions.Off, new AppAttestOptions().EffectivePolicy);
        Assert.Contains("AppAttest:TeamId", Faults(new AppAttestOptions { Policy = "required" }), StringComparison.Ordinal);
        Assert.Contains("AppAttest:TeamId", Faults(new AppAttestOptions { TeamId = "SIMULATED1" }), StringComparison.Ordinal);
        Assert.Contains("AppAttest:TeamId", Faults(Options(team: "short")), StringComparison.Ordinal);
        Assert.Contains("AppAttest:BundleIds", Faults(Options(bundle: "com.example/reel")), StringComparison.Ordinal);
        Assert.Contains("AppAttest:Policy", Faults(Options(policy: "sometimes")), StringComparison.Ordinal);
        Assert.Contains("AppAttest:Environment", Faults(Options(environment: "test")), StringComparison.Ordinal);
        var options = Options();
        options.TestRootCertificateFile = "a file";
        Assert.Contains(
            "AppAttest:TestRootCertificateFile",
            Assert.Throws<InvalidOperationException>(() => options.Trust(isProduction: true)).Message,
            StringComparison.Ordinal
        );
    }

    private static string? Faults(AppAttestOptions options) => new SectionRules<AppAttestOptions>("AppAttest").Validate(null, options).FailureMessage;

    private static AppAttestOptions Options(
        string team = "SIMULATED1",
        string bundle = "com.example.reelbase",
        string policy = "when_present",
        string environment = "production"
    )
    {
        var options = new AppAttestOptions
        {
            TeamId = team,
            Policy = policy,
            Environment = environment,
        };
        options.BundleIds.Add(bundle);
        return options;
    }
}
