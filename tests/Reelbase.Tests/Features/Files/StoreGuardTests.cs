using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>One folder of local files belongs to an installation: a second node with a disk of its own is refused, a restart and a roll on one host go on.</summary>
public sealed class StoreGuardTests(TestSystem system) : IClassFixture<TestSystem>
{
    private static string NewFolder() => Path.Combine(TestCluster.Home, "folder-" + Guid.NewGuid().ToString("N")[..8]);

    [Fact]
    public async Task A_second_node_with_a_disk_of_its_own_is_refused_and_one_on_the_same_folder_goes_on()
    {
        await using (var beside = system.BuildServer())
        {
            await beside.StartAsync();
            await beside.StopAsync();
        }
        var folder = NewFolder();
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(system.DataDirectory, "apple-root.cer"), Path.Combine(folder, "apple-root.cer"));
        // The same again: what the first attempt left in the folder does not make it ours.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await using var other = system.BuildServer(new() { ["Server:DataDirectory"] = folder });
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => other.StartAsync());
            Assert.Contains("Server:DataDirectory", error.Message, StringComparison.Ordinal);
            Assert.Contains("Storage:Kind=s3", error.Message, StringComparison.Ordinal);
            Assert.Contains("admin accept-storage", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task After_a_restore_into_a_new_folder_the_operator_accepts_it_and_the_former_one_is_refused()
    {
        await using var system = new TestSystem();
        await system.InitializeAsync();
        await system.Server.StopAsync();
        var folder = NewFolder();
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(system.DataDirectory, "apple-root.cer"), Path.Combine(folder, "apple-root.cer"));
        var (code, output) = await ServerProcess.RunAsync(
            new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = folder },
            "admin",
            "accept-storage",
            "--database",
            system.Owner
        );
        Assert.True(code == 0, output);
        await using (var restored = system.BuildServer(new() { ["Server:DataDirectory"] = folder }))
        {
            await restored.StartAsync();
            await restored.StopAsync();
        }
        await using var former = system.BuildServer();
        await Assert.ThrowsAsync<InvalidOperationException>(() => former.StartAsync());
    }

    [Fact]
    public void A_restore_says_what_it_does_not_bring_back_and_what_that_means()
    {
        var builder = Microsoft.AspNetCore.Builder.WebApplication.CreateSlimBuilder();
        builder.Configuration["Server:DataDirectory"] = NewFolder();
        var said = Server.Cli.BackupCommands.FindMissingSettings(builder).ToList();
        Assert.Contains(said, line => line.Contains("the keys", StringComparison.Ordinal) && line.Contains("signed out", StringComparison.Ordinal));
        Assert.Contains(said, line => line.Contains("the files", StringComparison.Ordinal) && line.Contains("admin accept-storage", StringComparison.Ordinal));
        // With the keys there, only the files are left to say.
        builder.Configuration["Server:DataDirectory"] = system.DataDirectory;
        Assert.Single(Server.Cli.BackupCommands.FindMissingSettings(builder));
    }
}
