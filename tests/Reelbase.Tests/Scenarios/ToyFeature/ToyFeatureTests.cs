using System.Net;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
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

    public sealed class Installation : TestSystem
    {
        protected override bool HasConsole => true;

        protected override IReadOnlyList<IModule> MoreModules => [new NotesModule()];

        protected override async Task<string> PrepareDatabaseAsync()
        {
            var owner = await base.PrepareDatabaseAsync();
            await TestCluster.ExecuteAsync(owner, NotesModule.Sql);
            return owner;
        }
    }
}
