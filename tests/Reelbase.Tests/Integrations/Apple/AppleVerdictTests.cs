using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>Apple's own verifier as the judge over the forgeries that ours is tried with.</summary>
public sealed class AppleVerdictTests
{
    [Fact]
    [Trait("Needs", "node")]
    public async Task Apples_own_library_comes_to_the_same_verdict_on_every_case()
    {
        var forged = new ForgedSignatures();
        using var ours = AppleSignatureTests.Reading(Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N") + ".cer"), forged.Root);
        var cases = forged.All();
        var file = Path.Combine(TestCluster.Home, Guid.NewGuid().ToString("N") + ".json");
        await File.WriteAllTextAsync(
            file,
            JsonSerializer.Serialize(
                new
                {
                    root = Convert.ToBase64String(forged.Root),
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
        Assert.Empty(
            cases
                .Where(one => verdicts[one.Name] != AppleSignatureTests.Accepts(ours, one, out _))
                .Select(one => $"{one.Name}: Apple says {verdicts[one.Name]}")
        );
    }
}
