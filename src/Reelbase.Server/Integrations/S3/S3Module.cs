using Microsoft.Extensions.DependencyInjection.Extensions;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Storage;

namespace Reelbase.Server.Integrations.S3;

/// <summary>Files in an S3-compatible store, where <c>Storage:Kind</c> says so.</summary>
public sealed class S3Module : IModule
{
    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.Read<StorageOptions>("Storage").Kind == "s3")
        {
            services.TryAddSingleton<IFileStore, S3FileStore>();
        }
    }
}
