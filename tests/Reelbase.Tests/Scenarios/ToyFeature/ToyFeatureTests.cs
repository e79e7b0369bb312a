using System.Net;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Admin.Console;
using Reelbase.Server.Platform.Modules;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios.ToyFeature;

/// <summary>A feature is one folder and one line in the list of modules: this one is neither in the program's source nor known to it.</summary>
public sealed class ToyFeatureTests(ToyFeatureTests.Installation system) : IClassFixture<ToyFeatureTests.Installation>
{
    [Fact]
    public async Task Its_endpoint_its_table_and_its_worker_work_together()
    {
        using var http = system.Anybody();
        // At both addresses of functions, without a word about the second one.
        foreach (var path in new[] { "/toy-notes", "/functions/v1/toy-notes" })
        {
            using var left = await http.PostAsync($"{path}?text=hello", null);
            Assert.Equal(HttpStatusCode.OK, left.StatusCode);
        }
        await Eventually.IsAsync(async () => (await ApiResponse.ReadAsync(await http.GetAsync("/toy-notes")))["read"].GetInt64(), read => read == 2);
    }

    /// <summary>What its table refuses is an error of the catalogue, as everywhere.</summary>
    [Fact]
    public async Task Its_errors_are_those_of_the_catalogue()
    {
        using var http = system.Anybody();
        var refused = await ApiResponse.ReadAsync(await http.PostAsync("/toy-notes?text=", null));
        Assert.StartsWith("ERR_", refused.Code, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_page_is_one_of_the_consoles()
    {
        var page = Assert.Single(
            system.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>(),
            endpoint => endpoint.RoutePattern.RawText == "/admin/toy-notes"
        );
        Assert.Equal(typeof(NotesPage), page.Metadata.GetRequiredMetadata<ComponentTypeMetadata>().Type);
    }

    /// <summary>What it gives the support team comes from its module too: both addresses, the audit, the key that makes a change happen once, the document.</summary>
    [Fact]
    public async Task Its_admin_operations_answer_admins_alone()
    {
        using var http = system.Anybody();
        using var left = await http.PostAsync("/toy-notes?text=remove+me", null);
        var note = (await ApiResponse.ReadAsync(left))["id"].GetInt64();
        foreach (var prefix in new[] { "/", "/functions/v1/" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(prefix + "admin-list-toy-notes")).StatusCode);
            var listed = await system.GetAsync(prefix + "admin-list-toy-notes?limit=100");
            Assert.Contains(listed["rows"].EnumerateArray(), row => row.GetProperty("id").GetInt64() == note);
        }
        var key = Guid.NewGuid();
        for (var attempt = 0; attempt < 2; attempt++)
        {
            Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-remove-toy-note", new { note_id = note, reason = "not wanted" }, key)).Status);
        }
        Assert.Equal(1L, await system.QueryAsync<long>("select count(*) from admin_actions where action_type = 'toy_note_remove'"));
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from toy_notes where id = {note}"));
        var document = await ApiResponse.ReadAsync(await http.GetAsync("/openapi/v1.json"));
        Assert.True(document["paths"].TryGetProperty("/admin-remove-toy-note", out _));
    }

    [Fact]
    public void Its_page_is_in_the_consoles_menu()
    {
        var entries = system.Server.Services.GetRequiredService<ConsoleMenu>().Entries;
        Assert.Equal("admin/toy-notes", Assert.Single(entries, entry => entry.Text == "Notes").Href);
        // Where it asked to be: after what webhooks have, before approvals.
        Assert.Equal(["Webhooks", "Notes", "Approvals"], entries.Select(entry => entry.Text).SkipWhile(text => text != "Webhooks").Take(3));
    }

    public sealed class Installation : AdminSystem
    {
        protected override IReadOnlyList<IModule> MoreModules => [new NotesModule()];

        protected override async Task<string> PrepareDatabaseAsync()
        {
            var owner = await base.PrepareDatabaseAsync();
            await TestCluster.ExecuteAsync(owner, NotesModule.Sql);
            return owner;
        }
    }
}
