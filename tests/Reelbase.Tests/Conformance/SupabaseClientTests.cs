using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The unmodified <c>@supabase/supabase-js</c> (the version that tests/vendor-clients pins) against the server, by nothing but its URL and key.</summary>
[Trait("Needs", "node")]
public sealed class SupabaseClientTests(SupabaseClientTests.Switched system) : IClassFixture<SupabaseClientTests.Switched>
{
    private const int ReuseSeconds = 1;

    /// <summary>The window in which an older refresh token is a retry is short, so that a theft shows soon.</summary>
    public sealed class Switched : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Security:RefreshReuseSeconds"] = ReuseSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ["Supabase:AnonymousSignUpsPerWindow"] = "-1",
            };
    }

    [Theory]
    [InlineData("supabase-auth.test.mjs", 13)]
    [InlineData("supabase-functions.test.mjs", 5)]
    [InlineData("supabase-rest.test.mjs", 9)]
    public async Task The_client_is_satisfied(string file, int tests)
    {
        var tokens = (AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!;
        var output = await Node.RunAsync(
            new()
            {
                ["SERVER_URL"] = system.Url,
                ["SIMULATORS_URL"] = system.SimulatorsUrl,
                ["ANON_KEY"] = tokens.CreateAnonKey(),
                ["SERVICE_KEY"] = tokens.CreateServiceKey(),
                ["BUNDLE_ID"] = TestSystem.BundleId,
                ["MODEL_ID"] = Catalog.FastModel.ToString(),
                ["REUSE_SECONDS"] = ReuseSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
            "--test",
            "--test-reporter=tap",
            file
        );
        Assert.Contains($"# pass {tests}\n", output, StringComparison.Ordinal);
    }
}
