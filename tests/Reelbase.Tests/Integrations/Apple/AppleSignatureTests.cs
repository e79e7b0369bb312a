using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>Our verifier of what Apple signs; AppleVerdictTests has Apple's own as the judge over the same list.</summary>
[Quick]
public sealed class AppleSignatureTests : IDisposable
{
    private readonly string _file = Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N") + ".cer");
    private readonly ForgedSignatures _forged = new();
    private readonly SignedData _ours;

    public AppleSignatureTests() => _ours = Reading(_file, _forged.Root);

    public void Dispose() => _ours.Dispose();

    [Fact]
    public void Every_forgery_is_refused_and_every_good_one_taken()
    {
        var cases = _forged.All();
        Assert.True(cases.Count(one => !one.IsGood) >= 60);
        // Twice, as a chain that held is remembered and must not hold for others.
        foreach (var one in cases.Concat(cases))
        {
            Assert.True(Accepts(_ours, one, out var fault) == one.IsGood, $"{one.Name}: {fault}");
        }
    }

    [Fact]
    public void Another_root_than_the_pinned_one_is_refused_at_start()
    {
        var options = new AppStoreOptions
        {
            BundleId = TestSystem.BundleId,
            AppAppleId = 1,
            RootCertificateFile = _file,
        };
        var error = Assert.Throws<InvalidOperationException>(() => new SignedData(Options.Create(options), TimeProvider.System));
        Assert.Contains("AppStore:RootCertificateFile", error.Message, StringComparison.Ordinal);
        Assert.Equal("63343ABFB89A6A03EBB57E9B3F5FA7BE7C4F5C756F3017B3A8C488C3653E9179", options.RootSha256);
    }

    /// <summary>Our verdict.</summary>
    internal static bool Accepts(SignedData ours, ForgedSignatures.Case one, out string fault) =>
        one.Kind == "notification"
            ? ours.ReadNotification(one.Jws, out fault, "Production") is not null
            : ours.ReadTransaction(one.Jws, out fault, "Production") is not null;

    /// <summary>What reads the data of an app whose root this file holds.</summary>
    internal static SignedData Reading(string file, byte[] root)
    {
        File.WriteAllBytes(file, root);
        return new SignedData(
            Options.Create(
                new AppStoreOptions
                {
                    BundleId = TestSystem.BundleId,
                    AppAppleId = 1234567890,
                    RootCertificateFile = file,
                    RootSha256 = Convert.ToHexString(SHA256.HashData(root)),
                }
            ),
            TimeProvider.System
        );
    }
}
