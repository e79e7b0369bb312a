using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.AppStore;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>Our verifier of what Apple signs, and Apple's own as the judge over the same list.</summary>
public sealed class AppleSignatureTests : IDisposable
{
    private readonly string _file = Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N") + ".cer");
    private readonly ForgedSignatures _forged = new();
    private readonly SignedData _ours;

    public AppleSignatureTests()
    {
        File.WriteAllBytes(_file, _forged.Root);
        _ours = new SignedData(
            Options.Create(
                new AppStoreOptions
                {
                    BundleId = TestSystem.BundleId,
                    AppAppleId = 1234567890,
                    RootCertificateFile = _file,
                    RootSha256 = Convert.ToHexString(SHA256.HashData(_forged.Root)),
                }
            ),
            TimeProvider.System
        );
    }

    public void Dispose() => _ours.Dispose();

    [Fact]
    [Quick]
    public void Every_forgery_is_refused_and_every_good_one_taken()
    {
        var cases = _forged.All();
        Assert.True(cases.Count(one => !one.IsGood) >= 60);
        // Twice, as a chain that held is remembered and must not hold for others.
        foreach (var one in cases.Concat(cases))
        {
            Assert.True(Accepts(one, out var fault) == one.IsGood, $"{one.Name}: {fault}");
        }
    }

    [Fact]
    [Trait("Needs", "node")]
    public async Task Apples_own_library_comes_to_the_same_verdict_on_every_case()
    {
        var cases = _forged.All();
        var file = Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N") + ".json");
        await File.WriteAllTextAsync(
            file,
            JsonSerializer.Serialize(
                new
                {
                    root = Convert.ToBase64String(_forged.Root),
                    bundleId = TestSystem.BundleId,
                    appAppleId = 1234567890,
                    cases = cases.Select(one => new
                    {
                        name = one.Name,
                        kind = one.Kind,
                        jws = one.Jws,
                    }),
                }
            )
        );
        var verdicts = JsonSerializer.Deserialize<Dictionary<string, bool>>(await NodeJs.RunAsync([], "judge-signatures.mjs", file))!;
        Assert.Equal(cases.Count, verdicts.Count);
        Assert.Empty(cases.Where(one => verdicts[one.Name] != Accepts(one, out _)).Select(one => $"{one.Name}: Apple says {verdicts[one.Name]}"));
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

    private bool Accepts(ForgedSignatures.Case one, out string fault) =>
        one.Kind == "notification"
            ? _ours.ReadNotification(one.Jws, out fault, "Production") is not null
            : _ours.ReadTransaction(one.Jws, out fault, "Production") is not null;
}
