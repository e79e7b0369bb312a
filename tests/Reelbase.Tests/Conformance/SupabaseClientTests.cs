using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Jobs.Live;
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

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await ExecuteAsync(
                """
                set role reelbase_owner;
                create table notes (
                  id bigint generated always as identity primary key,
                  user_id uuid not null default my_user_id() references users (id) on delete cascade,
                  slug text not null, title text not null, tags text[] not null default '{}', stars int not null default 0 check (stars between 0 and 5),
                  unique (user_id, slug)
                );
                alter table notes enable row level security;
                create policy notes_own on notes to authenticated using (user_id = (select my_user_id())) with check (user_id = (select my_user_id()));
                grant select, insert, update, delete on notes to authenticated;
                """
            );
        }
    }

    [Theory]
    [InlineData("supabase-auth.test.mjs", 13)]
    [InlineData("supabase-functions.test.mjs", 5)]
    [InlineData("supabase-rest.test.mjs", 9)]
    [InlineData("supabase-realtime.test.mjs", 9)]
    [InlineData("supabase-own-tables.test.mjs", 6)]
    public async Task The_client_is_satisfied(string file, int tests)
    {
        var tokens = (AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!;
        var guests = file == "supabase-realtime.test.mjs" ? await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => system.NewGuestAsync(500))) : [];
        var output = await NodeJs.RunAsync(
            new()
            {
                ["SERVER_URL"] = system.Url,
                ["SIMULATORS_URL"] = system.SimulatorsUrl,
                ["ANON_KEY"] = tokens.CreateAnonKey(),
                ["SERVICE_KEY"] = tokens.CreateServiceKey(),
                // Guests with enough credits for many jobs.
                ["GUESTS"] = System.Text.Json.JsonSerializer.Serialize(
                    guests.Select(guest => new
                    {
                        user_id = guest.UserId,
                        access_token = guest.AccessToken,
                        refresh_token = guest.RefreshToken,
                    })
                ),
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

    [Fact]
    public async Task A_channel_comes_back_after_a_restart_of_the_server()
    {
        await using var alone = new TestSystem();
        await alone.InitializeAsync();
        var phone = await alone.NewGuestAsync();
        var client = NodeJs.RunAsync(
            new()
            {
                ["SERVER_URL"] = alone.Url,
                ["ANON_KEY"] = alone.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey(),
                ["ACCESS_TOKEN"] = phone.AccessToken,
                ["REFRESH_TOKEN"] = phone.RefreshToken,
                ["MODEL_ID"] = Catalog.FastModel.ToString(),
            },
            "--test",
            "--test-reporter=tap",
            "supabase-realtime-restart.test.mjs"
        );
        var hub = alone.Server.Services.GetRequiredService<LiveHub>();
        await Eventually.IsAsync(() => Task.FromResult(hub.ReadyWatchers), watchers => watchers > 0);
        await alone.RestartServerAsync();
        Assert.Contains("# pass 1\n", await client, StringComparison.Ordinal);
    }
}
