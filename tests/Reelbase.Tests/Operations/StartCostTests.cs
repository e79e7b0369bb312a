using System.CodeDom.Compiler;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Operations;

/// <summary>What a start does not have to compile.</summary>
[Collection(SharedProduct.Name)]
public sealed class StartCostTests(TestSystem system)
{
    [Fact]
    public void No_route_of_ours_is_bound_by_an_expression_that_each_start_compiles()
    {
        var routes = system.Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        var bound = routes.Where(route => route.Metadata.GetMetadata<MethodInfo>() is { } method && IsOurs(method)).ToList();
        Assert.NotEmpty(bound);
        Assert.Empty(bound.Where(route => route.Metadata.GetMetadata<GeneratedCodeAttribute>() is null).Select(route => route.DisplayName));
    }

    /// <summary>A handler with parameters to bind; one that takes the context alone is called as it is.</summary>
    private static bool IsOurs(MethodInfo method) =>
        method.Module.Assembly == typeof(Reelbase.Server.ServerApp).Assembly
        && !(method.ReturnType == typeof(Task) && method.GetParameters() is [var only] && only.ParameterType == typeof(HttpContext));
}
