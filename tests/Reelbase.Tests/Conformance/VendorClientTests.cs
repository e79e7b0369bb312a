using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The vendors' own JavaScript clients against the simulators: what satisfies them is spoken as the vendors speak.</summary>
[Trait("Needs", "node")]
public sealed class VendorClientTests : IAsyncLifetime
{
    private Microsoft.AspNetCore.Builder.WebApplication _app = null!;

    public async ValueTask InitializeAsync()
    {
        _app = SimulatorApp.Build(["--urls", TestSystem.AnyPort, "--Fal:Seconds", "0.5", "--Videos:Recorded", "true", "--Apple:Key", TestSystem.DeviceKey]);
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("fal.test.mjs", 8)]
    [InlineData("runway.test.mjs", 9)]
    [InlineData("appstore.test.mjs", 10)]
    public async Task The_vendors_client_is_satisfied(string file, int tests)
    {
        var output = await NodeJs.RunAsync(
            new() { ["SIMULATORS_URL"] = TestSystem.AddressOf(_app), ["APPLE_KEY"] = TestSystem.DeviceKey },
            "--test",
            "--test-reporter=tap",
            file
        );
        Assert.Contains($"# pass {tests}\n", output, StringComparison.Ordinal);
    }
}
