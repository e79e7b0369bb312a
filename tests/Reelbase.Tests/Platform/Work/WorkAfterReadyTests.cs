using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Work;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform.Work;

/// <summary>Background work that no request waits for begins after the node is ready, and stops in order.</summary>
public sealed class WorkAfterReadyTests
{
    private readonly ConcurrentQueue<string> _log = new();
    private readonly NodeReady _ready = new();
    private readonly Lifetime _lifetime = new();

    [Fact]
    public async Task Work_begins_in_order_after_the_first_answer_that_says_ready_and_all_of_it_stops()
    {
        using var work = Work(() => new Recorded("first", _log), () => new Recorded("second", _log));
        await work.StartAsync(CancellationToken.None);
        Assert.Empty(_log);
        _ready.Note();
        Assert.Empty(_log);
        _lifetime.Started.Cancel();
        await Eventually.IsAsync(() => Task.FromResult(_log.Count), begun => begun == 2);
        await work.StopAsync(CancellationToken.None);
        Assert.Equal(["first begins", "second begins", "second stops", "first stops"], _log);
    }

    [Fact]
    public async Task A_node_that_nobody_asks_begins_its_work_too()
    {
        using var work = Work(() => new Recorded("only", _log));
        await work.StartAsync(CancellationToken.None);
        _lifetime.Started.Cancel();
        await Eventually.IsAsync(() => Task.FromResult(_log.Count), begun => begun == 1);
        await work.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_node_that_stops_before_it_is_ready_begins_nothing()
    {
        using var work = Work(() => new Recorded("only", _log));
        await work.StartAsync(CancellationToken.None);
        await work.StopAsync(CancellationToken.None);
        _lifetime.Started.Cancel();
        _ready.Note();
        Assert.Empty(_log);
    }

    [Fact]
    public async Task While_one_drains_the_others_stop_too()
    {
        var firstStops = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var work = Work(
            () => new Draining(firstStops.SetResult, Task.CompletedTask),
            () => new Draining(() => { }, firstStops.Task, () => _log.Enqueue("begun"))
        );
        await work.StartAsync(CancellationToken.None);
        _ready.Note();
        _lifetime.Started.Cancel();
        await Eventually.IsAsync(() => Task.FromResult(_log.Count), begun => begun == 1);
        await work.StopAsync(CancellationToken.None).WaitAsync(Patience.Span);
    }

    [Fact]
    public async Task One_that_fails_is_reported_to_the_host_and_the_others_stop_all_the_same()
    {
        using var work = Work(() => new Recorded("well", _log), () => new Failing());
        await work.StartAsync(CancellationToken.None);
        _ready.Note();
        _lifetime.Started.Cancel();
        await Assert.ThrowsAsync<InvalidOperationException>(() => work.ExecuteTask!);
        Assert.True(_ready.HasFailed);
        await work.StopAsync(CancellationToken.None);
        Assert.Equal(["well begins", "well stops"], _log);
    }

    private WorkAfterReady Work(params Func<IHostedService>[] inOrder) => new(inOrder, _ready, _lifetime, NullLogger<WorkAfterReady>.Instance);

    private sealed class Recorded(string name, ConcurrentQueue<string> log) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Note("begins");

        public Task StopAsync(CancellationToken cancellationToken) => Note("stops");

        private Task Note(string what)
        {
            log.Enqueue($"{name} {what}");
            return Task.CompletedTask;
        }
    }

    /// <summary>Drains until something has happened.</summary>
    private sealed class Draining(Action onStop, Task until, Action? onStart = null) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            onStart?.Invoke();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            onStop();
            return until;
        }
    }

    private sealed class Failing : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => throw new InvalidOperationException("planted");
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationTokenSource Started { get; } = new();
        public CancellationToken ApplicationStarted => Started.Token;
        public CancellationToken ApplicationStopping => CancellationToken.None;
        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() { }
    }
}

/// <summary>Which work begins with the host: whatever is added to the list holds up each start.</summary>
[Collection(SharedProduct.Name)]
public sealed class WorkBeforeReadyTests(TestSystem system)
{
    [Fact]
    public void Only_what_requests_depend_on_begins_with_the_host() =>
        Assert.Equal(
            ["AgePolicies", "ChangeFeed", "ConsentRule", "ProviderHealthMonitor", "ServerLimits", "StoreGuard", "WorkAfterReady"],
            from service in system.Server.Services.GetServices<IHostedService>()
            let type = service.GetType()
            where type.Assembly == typeof(Reelbase.Server.ServerApp).Assembly
            orderby type.Name
            select type.Name
        );
}
