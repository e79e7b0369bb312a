using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>Sessions of the unmodified <c>@supabase/supabase-js</c> while the server is restarted behind it.</summary>
[Trait("Needs", "node")]
public sealed class SupabaseRestartTests(SupabaseRestartTests.Restarting system) : IClassFixture<SupabaseRestartTests.Restarting>
{
    /// <summary>The script asks for a restart when it is ready for one.</summary>
    public sealed class Restarting : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Supabase:AnonymousSignUpsPerWindow"] = "-1" };

        protected override void MapMore(WebApplication simulators) =>
            simulators.MapPost(
                "/_test/restart",
                async () =>
                {
                    await RestartServerAsync();
                    return Results.Ok();
                }
            );
    }

    [Fact]
    public async Task Nobody_is_signed_out_by_a_restart()
    {
        var tokens = (AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!;
        var output = await NodeJs.RunAsync(
            new()
            {
                ["SERVER_URL"] = system.Url,
                ["SIMULATORS_URL"] = system.SimulatorsUrl,
                ["ANON_KEY"] = tokens.CreateAnonKey(),
            },
            "--test",
            "--test-reporter=tap",
            "supabase-restart.test.mjs"
        );
        Assert.Contains("# pass 3\n", output, StringComparison.Ordinal);
        Assert.Equal(0, await system.QueryAsync<long>("select count(*) from sessions where revoked_at is not null"));
    }
}
