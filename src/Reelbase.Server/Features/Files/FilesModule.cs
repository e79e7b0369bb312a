using Reelbase.Server.Features.Files.Console;
using Reelbase.Server.Platform.Errors;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Files;

/// <summary>Stored files: their links, uploads, room and removal.</summary>
public sealed class FilesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables => ["storage_alert", "storage_objects", "storage_use", "storage_use_changes", "uploads"];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options)
    {
        options.Add<FilesOptions>("Files");
        options.Add<UploadsOptions>("Uploads");
    }

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        services.AddSingleton(new OperationTopics(_ => [FileRemover.WakeTopic]));
        if (context.IsAdmin)
        {
            services.AddScoped<ConsoleFiles>();
        }
        services.AddSingleton<FileLinks>();
        services.AddSingleton<StorageQuota>();
        if (context.IsApi)
        {
            services.AddSingleton<IErrorShape, StorageErrors>();
            services.AddSingleton<PictureUploads>();
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        // Refuses to start on files that are not this installation's, before anything works on files.
        workers.OnEveryNode<StoreGuard>();
        workers.OnWorker<FileRemover>();
        workers.OnWorker<StorageReconciler>();
        workers.OnWorker<StorageUseWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        // The console plays videos.
        if (routes.Context.IsApi || routes.Context.IsAdmin)
        {
            routes.Root.MapFiles();
        }
        if (routes.Context.IsApi)
        {
            routes.Root.MapUploads();
            routes.Root.MapStorage();
        }
    }
}
