using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Whose the login roles' passwords are: derived from a secret owner's password and kept in step by every migration, or the operator's and left alone.</summary>
public sealed class RolePasswordTests(RolePasswordTests.OwnCluster cluster) : IClassFixture<RolePasswordTests.OwnCluster>
{
    /// <summary>Roles belong to a whole cluster, so this one is nobody else's.</summary>
    public sealed class OwnCluster : IAsyncLifetime
    {
        private PrivateCluster? _cluster;

        public string Owner { get; set; } = "";

        public async ValueTask InitializeAsync()
        {
            var home = Path.Combine(TestCluster.Home, "passwords-" + Guid.NewGuid().ToString("N")[..8]);
            _cluster = await PrivateCluster.StartAsync(home, null, TestCluster.FastSettings, CancellationToken.None);
            Owner = _cluster.ConnectionString;
        }

        public async ValueTask DisposeAsync()
        {
            NpgsqlConnection.ClearAllPools();
            await (_cluster?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
        }
    }

    [Theory]
    [InlineData("postgres://postgres@db.example/reelbase")]
    [InlineData("postgres://postgres:@db.example/reelbase")]
    [InlineData("Host=db.example;Database=reelbase;Username=postgres")]
    [InlineData("Host=127.0.0.1;Database=reelbase;Username=postgres;Password=")]
    public void An_owner_without_a_password_derives_nothing(string owner)
    {
        var error = Assert.Throws<InvalidOperationException>(() => ConnectionStrings.From(new DatabaseOptions(), ConnectionStrings.Normalize(owner)));
        Assert.Contains("Database:ConnectionString has no password", error.Message, StringComparison.Ordinal);
        Assert.Contains("Database:ApiConnectionString", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => ConnectionStrings.DerivePassword(ConnectionStrings.Normalize(owner), "reelbase_api"));
    }

    [Fact]
    public async Task The_start_and_the_migration_refuse_such_an_owner_before_anything_is_done()
    {
        const string owner = "postgres://postgres@127.0.0.1:1/reelbase";
        foreach (
            var (code, output) in new[]
            {
                await ServerProcess.RunAsync("migrate", "--database", owner),
                await ServerProcess.RunAsync(
                    new Dictionary<string, string> { ["REELBASE__Database__ConnectionString"] = owner, ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" }
                ),
            }
        )
        {
            Assert.Equal(1, code);
            Assert.Contains("Database:ConnectionString has no password", output, StringComparison.Ordinal);
        }
        // With roles of their own nothing is derived, so the address is taken as it is.
        ConnectionStrings.From(
            new DatabaseOptions
            {
                ApiConnectionString = "Host=a",
                WorkerConnectionString = "Host=b",
                AdminConnectionString = "Host=c",
            },
            ConnectionStrings.Normalize(owner)
        );
    }

    [Fact]
    public void An_address_that_was_given_has_our_bounds_where_it_names_none_of_its_own()
    {
        var options = new DatabaseOptions
        {
            ApiConnectionString = "postgres://reelbase_api:secret@db/reelbase",
            WorkerConnectionString = "Host=db;Username=reelbase_worker;Maximum Pool Size=7;Command Timeout=33",
            AdminConnectionString = "Host=db",
            MaxPoolSize = 12,
        };
        var strings = ConnectionStrings.From(options, null);
        var (api, worker) = (new NpgsqlConnectionStringBuilder(strings.Api), new NpgsqlConnectionStringBuilder(strings.Worker));
        Assert.Equal((12, 15, true), (api.MaxPoolSize, api.CommandTimeout, api.NoResetOnClose));
        Assert.Equal((7, 33, true), (worker.MaxPoolSize, worker.CommandTimeout, worker.NoResetOnClose));
    }

    [Fact]
    public async Task Passwords_follow_the_owners_and_an_operators_own_stay()
    {
        await MigrateAsync();
        await AssertDerivedAsync("reelbase_api", "reelbase_worker", "reelbase_admin");

        // The owner's password changes: the next migration brings the roles along, though no file is due.
        await ChangeOwnerAsync("the second password");
        Assert.Contains("The database is up to date.", await MigrateAsync(), StringComparison.Ordinal);
        await AssertDerivedAsync("reelbase_api", "reelbase_worker", "reelbase_admin");

        // An operator sets one by hand: neither a file that is due nor a change of the owner's takes it away.
        await TestCluster.ExecuteAsync(cluster.Owner, "alter role reelbase_api password 'set by hand'");
        await TestCluster.ExecuteAsync(cluster.Owner, "update reelbase.schema_files set hash = 'another' where name like '%deduct_credits.function.sql'");
        await MigrateAsync();
        await ChangeOwnerAsync("the third password");
        var output = await MigrateAsync();
        await AssertLogsInAsync("reelbase_api", "set by hand");
        await AssertDerivedAsync("reelbase_worker", "reelbase_admin");
        Assert.Contains("reelbase_api", output, StringComparison.Ordinal);

        // Given back, it is derived again.
        await TestCluster.ExecuteAsync(cluster.Owner, "alter role reelbase_api password null");
        await MigrateAsync();
        await AssertDerivedAsync("reelbase_api", "reelbase_worker", "reelbase_admin");

        // A role that nobody can log in as yet has the password of the address that it was given, as in a new installation whose nodes hold such addresses only.
        var given = new Dictionary<string, string> { ["REELBASE__Database__AdminConnectionString"] = "postgres://reelbase_admin:it's%20given@db/reelbase" };
        await TestCluster.ExecuteAsync(cluster.Owner, "alter role reelbase_admin password null");
        await MigrateAsync(given);
        await AssertLogsInAsync("reelbase_admin", "it's given");
        await AssertDerivedAsync("reelbase_api", "reelbase_worker");
        await TestCluster.ExecuteAsync(cluster.Owner, "alter role reelbase_admin password null");
        await MigrateAsync();
        await AssertDerivedAsync("reelbase_api", "reelbase_worker", "reelbase_admin");

        // A role with an address of its own is the operator's, whatever its password is.
        await ChangeOwnerAsync("the fourth password");
        await MigrateAsync(new() { ["REELBASE__Database__WorkerConnectionString"] = "Host=pooler;Username=reelbase_worker;Password=their own" });
        await AssertLogsInAsync("reelbase_worker", ConnectionStrings.DerivePassword(Owner("the third password"), "reelbase_worker"));
        await AssertDerivedAsync("reelbase_api", "reelbase_admin");
        await MigrateAsync();
        await AssertDerivedAsync("reelbase_api", "reelbase_worker", "reelbase_admin");

        // An owner who is no superuser cannot read what is stored; there the operator says it in a comment.
        await TestCluster.ExecuteAsync(
            cluster.Owner,
            """
            create role managed login createrole createdb password 'managed' in role reelbase_owner;
            grant reelbase_api, reelbase_worker, reelbase_admin to managed with admin option;
            alter role reelbase_admin password 'set by hand'; comment on role reelbase_admin is 'password: operator';
            """
        );
        var superuser = cluster.Owner;
        cluster.Owner = new NpgsqlConnectionStringBuilder(superuser) { Username = "managed", Password = "managed" }.ConnectionString;
        await MigrateAsync();
        await AssertLogsInAsync("reelbase_admin", "set by hand");
        await AssertDerivedAsync("reelbase_api", "reelbase_worker");
    }

    private string Owner(string password) => new NpgsqlConnectionStringBuilder(cluster.Owner) { Password = password }.ConnectionString;

    private async Task ChangeOwnerAsync(string password)
    {
        await TestCluster.ExecuteAsync(cluster.Owner, $"alter role postgres password '{password}'");
        cluster.Owner = Owner(password);
    }

    private async Task<string> MigrateAsync(Dictionary<string, string>? settings = null)
    {
        var (code, output) = await ServerProcess.RunAsync(settings ?? [], "migrate", "--database", cluster.Owner);
        Assert.True(code == 0, output);
        return output;
    }

    private async Task AssertDerivedAsync(params string[] roles)
    {
        foreach (var role in roles)
        {
            await AssertLogsInAsync(role, ConnectionStrings.DerivePassword(cluster.Owner, role));
        }
    }

    private async Task AssertLogsInAsync(string role, string password)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(cluster.Owner)
            {
                Username = role,
                Password = password,
                Pooling = false,
            }.ConnectionString
        );
        var error = await Record.ExceptionAsync(() => connection.OpenAsync());
        Assert.True(error is null, $"{role}: {error?.Message}");
    }
}
